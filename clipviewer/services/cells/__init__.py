"""The cells of the export matrix: their state, and what has changed since they were exported."""
