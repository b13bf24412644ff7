"""Find clips: measure picture, sound and captions of a video, and choose the ranges that stand out."""
