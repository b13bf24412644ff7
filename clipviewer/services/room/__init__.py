"""The clip room of a video: what it shows, and what is decided in it."""
