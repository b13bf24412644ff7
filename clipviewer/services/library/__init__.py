"""Videos: upload, registration, listing, changes, previews and removal."""
