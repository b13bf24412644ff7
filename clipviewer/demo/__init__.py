"""Demo footage for an empty embedded store, rendered on the spot."""
