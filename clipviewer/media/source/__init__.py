"""Footage as it lies in the store: opened within limits, read by range, described."""
