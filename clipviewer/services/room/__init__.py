"""What the clip room shows of a video, and what is decided there."""
