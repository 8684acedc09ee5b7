"""The marketplace: the contracts of its tables, the intake of a user's files, and the training table."""
