"""ffmpeg and PyAV, at the edge, in child processes only."""
