"""Features of a purchase history, point in time: declared once, computed by one kernel whatever engine feeds it."""
