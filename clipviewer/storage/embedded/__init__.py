"""The embedded store: the subset of S3 that clipviewer needs, on the app's own port, with its objects in one private folder."""
