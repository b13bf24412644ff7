"""Read footage from the store: opened within limits, by range, and described."""
