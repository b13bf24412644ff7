"""Caption tracks: parse, slice, write, set in fonts, extract from masters, translate."""
