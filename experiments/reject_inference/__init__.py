"""Training with applications that an earlier policy declined."""
