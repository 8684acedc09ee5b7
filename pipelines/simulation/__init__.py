"""A simulated marketplace whose true probabilities of default are known. Nothing here is real data."""
