"""What production looks like now: the report of a period, its verdict, and its alarm."""
