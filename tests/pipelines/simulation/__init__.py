"""What the simulated marketplace must be: lawful, skewed as in life, graded by a truth that holds."""
