"""The book: every customer's features at one moment, under a declared reference loan, and one customer's by id."""
