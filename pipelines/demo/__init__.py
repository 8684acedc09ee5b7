"""The verb demo: the whole loop by the commands that a user would type, on real or on simulated data."""
