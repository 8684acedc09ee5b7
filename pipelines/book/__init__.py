"""The book: every customer's features at one time, under a declared reference loan, and their lookup by id."""
