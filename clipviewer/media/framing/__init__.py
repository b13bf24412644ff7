"""Where the frame of another shape goes: bars, shots, faces, motion."""
