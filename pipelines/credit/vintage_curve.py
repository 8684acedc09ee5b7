"""Vintage curves: the share of each month's lending that had gone bad by each age, with intervals."""

from dataclasses import dataclass

import numpy as np

from pipelines.credit.periods import Period
from pipelines.credit.rates import wilson_interval
from pipelines.credit.vintage import VintageTable


@dataclass(frozen=True)
class VintagePoint:
    """How much of a vintage had gone bad by an age, with Wilson's interval.

    `is_whole` says whether every loan of the month is that old; where not, the share is that of the month's first days.
    """

    age: int
    loans: int
    bad: int
    share: float
    low: float
    high: float
    is_whole: bool


@dataclass(frozen=True)
class VintageCurve:
    """The curve of the loans disbursed in a month (YYYY-MM), by ascending age; ages are in `period`."""

    month: str
    points: tuple[VintagePoint, ...]
    period: Period = Period.month


def vintage_curves(table: VintageTable, *, confidence: float) -> tuple[VintageCurve, ...]:
    """Return a curve per month of disbursement, as far as its oldest loans reach."""
    return tuple(
        VintageCurve(str(month), _points(observed.tolist(), bad.tolist(), confidence), table.period)
        for month, observed, bad in zip(np.datetime_as_string(table.month), table.observed, table.bad, strict=True)
    )


def _points(observed: list[int], bad: list[int], confidence: float) -> tuple[VintagePoint, ...]:
    return tuple(
        VintagePoint(age, loans, gone, gone / loans, *wilson_interval(gone, loans, confidence), loans == observed[0])
        for age, (loans, gone) in enumerate(zip(observed, bad, strict=True))
        if loans
    )
