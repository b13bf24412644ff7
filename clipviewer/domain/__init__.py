"""Pure rules of the product: no framework, no storage, no clock, no files."""
