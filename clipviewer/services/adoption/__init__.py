"""Import what is already in the bucket: preview, import, find missing files, rebuild."""
