"""The routes that a person opens."""
