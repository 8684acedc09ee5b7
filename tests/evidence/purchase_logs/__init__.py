"""Real purchase logs, read into the contract of orders."""
