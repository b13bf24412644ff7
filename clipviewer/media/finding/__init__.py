"""Finding clips: what can be seen, heard and read in a video, and which ranges stand out."""
