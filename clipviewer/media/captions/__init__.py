"""Caption tracks: read, cut, written, set in fonts, found in masters, translated."""
