"""Performance with late labels: estimates before outcomes, early reads, outcomes as they mature."""
