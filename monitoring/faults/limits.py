"""Thresholds from which on a change is a data fault and not a change of applicants."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FaultLimits:
    """Each limit is far beyond what mix, season and chance do; smaller changes are left to the drift thresholds.

    Attributes:
        rows: smaller windows are only searched for columns that are gone.
        missing: the share of missing values rose by at least this much,
        odds: and its odds by this factor (also for quarantined rows and duplicates),
        errors: and by so many standard errors.
        factor: a unit changed where values are multiplied or divided by at least this much,
        moved: and the cumulative share at some value of the reference changed by at least this much,
        explained: and by at most this much once the factor is removed.
        part: some of the rows are in another unit where at least this share is outside the range of the reference,
        least_reference: which has at least so many rows.
        outside: values outside the range of the reference, as a share of all rows.
        lost: categories were lost when this much more of a whole belongs to none of its shares.
        kept: a category was renamed when at most this part of its share is left,
        taken: and unknown categories took at least this part of it, and at most its inverse.
        level: categories with less than this share of the reference are ignored.
        duplicates: repeated rows, as a share of all rows.
        quarantined: quarantined rows, as a share of the rows read, above the worst earlier period.
        quarantined_at_first: the same without an earlier period.
        volume: a window has fewer than this part of the predicted rows.
    """

    rows: int = 50
    missing: float = 0.03
    odds: float = 5.0
    errors: float = 5.0
    factor: float = 5.0
    moved: float = 0.5
    explained: float = 0.25
    part: float = 0.05
    least_reference: int = 500
    outside: float = 0.01
    lost: float = 0.35
    kept: float = 0.1
    taken: float = 0.5
    level: float = 0.02
    duplicates: float = 0.05
    quarantined: float = 0.01
    quarantined_at_first: float = 0.05
    volume: float = 0.5
