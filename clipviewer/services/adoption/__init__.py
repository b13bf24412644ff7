"""What lies in the bucket already: looked at, taken in, found missing."""
