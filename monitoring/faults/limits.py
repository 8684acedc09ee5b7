"""From where on something is a fault of data, not a change of people: the settings of the fault finders."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FaultLimits:
    """Each limit is far beyond what mixes, seasons and chance do; what lies below is drift's to judge.

    Attributes:
        rows: a window of fewer rows is only searched for columns that are gone.
        missing: missing values have risen when their share rose by this much, and
        odds: their odds by this factor (quarantined rows and duplicates alike).
        errors: and by so many standard errors.
        factor: a unit changed where values are multiplied or divided by at least this much.
        moved: and at some value of the reference the share of rows up to it changed by this much.
        explained: and, the factor taken out, by no more than this.
        part: a part of the rows is in another unit where at least so many lie outside the reference's range,
        least_reference: which is known from so many rows on.
        lost: shares of one whole have lost their categories when so much more of it belongs to none.
        kept: a category was renamed when at most this part of its share is left,
        taken: and what was never seen took at least this part of it, and at most its inverse.
        level: a category counts from this share of the reference on.
        duplicates: rows that repeat others, as a share of rows.
        quarantined: rows set aside, as a share of the rows read, above the worst earlier period's.
        quarantined_at_first: the same where there is no earlier period.
        volume: a window has fewer than this part of the rows that earlier ones let expect.
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
    lost: float = 0.35
    kept: float = 0.1
    taken: float = 0.5
    level: float = 0.02
    duplicates: float = 0.05
    quarantined: float = 0.01
    quarantined_at_first: float = 0.05
    volume: float = 0.5
