"""Render exports."""
