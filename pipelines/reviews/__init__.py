"""Reviews: people uphold or overturn decisions."""
