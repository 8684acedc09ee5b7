"""Faults of data, as opposed to drift: each with what happened, its likely cause and a remedy at the source.

A module of this package that holds a `Finder` registers it: `find_faults` runs every registered finder::

    window = Observed(period, rows, tally.columns, intake, repeated_share(sample, rows))
    faults = find_faults(reference, window, sample, earlier, months=counts_by_month)
"""
