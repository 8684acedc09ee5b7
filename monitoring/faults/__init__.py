"""Faults of data, apart from drift: each with what was seen, its likely cause and a remedy that is not a retraining.

::

    window = Observed(period, rows, tally.columns, intake, repeated_share(sample, rows))
    faults = find_faults(reference, window, sample, earlier, months=counts_by_month)
"""
