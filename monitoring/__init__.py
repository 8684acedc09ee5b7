"""What production looks like now: windows, drift, alarms, reports."""
