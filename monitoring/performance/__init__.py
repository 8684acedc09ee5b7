"""Performance with late labels: estimates before outcomes, early reads, the truth as it matures."""
