"""Durable work in the background."""
