"""From a source to a finished file."""
