"""Exports: what was asked for, what is there, what has become of it."""
