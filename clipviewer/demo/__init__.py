"""Demo footage for an empty embedded store, rendered locally."""
