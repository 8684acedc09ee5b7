"""A window of decisions against its reference: which periods and cells, how far each moved, and whether it counts."""
