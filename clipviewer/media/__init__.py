"""ffmpeg and PyAV, at the edge."""
