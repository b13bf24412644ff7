"""Pure domain rules: no framework, no storage, no clock, no files."""
