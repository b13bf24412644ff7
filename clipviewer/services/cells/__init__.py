"""The cells of the export matrix as they stand: how far each is, and what has changed since it was made."""
