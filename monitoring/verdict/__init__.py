"""The verdict of a report, its causes, and the report as a whole."""
