"""Where to crop for another aspect ratio: bars, shots, faces, motion."""
