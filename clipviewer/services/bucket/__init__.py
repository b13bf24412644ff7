"""The bucket as others reach it: signed URLs, and how its storage is."""
