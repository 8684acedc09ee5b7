"""The verb demo: runs the commands of the whole loop on real or simulated data."""
