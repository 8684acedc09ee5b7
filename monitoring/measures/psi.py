"""Population stability index (PSI): the measure that the verdict rests on.

The sum over bins of (q - p) ln(q / p) on smoothed shares, in the bins as they are compared: values beyond the range of
the reference count with the bin at that end. Siddiqi, Credit Risk Scorecards (2006), chapter 9.
"""

from monitoring.measures.measure import ColumnCounts, Measure
from pipelines.credit.stability import stability_indices


def psi(counts: ColumnCounts) -> float:
    """Return the PSI of a column."""
    reference, current = (counts.bins.comparable(one)[1] for one in (counts.reference, counts.current))
    return float(stability_indices(reference, current))


PSI = Measure("psi", "PSI", psi)
