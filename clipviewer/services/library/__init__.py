"""Videos: how they come in, are found, changed and removed."""
