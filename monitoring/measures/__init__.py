"""Measures of drift, one file each, and how far each column of a window moved from its reference.

A module of this package that holds a `Measure` registers it: the report page and report.json show it. The verdict
rests on the PSI alone (`monitoring.thresholds`).
"""
