"""Values outside all that the reference has: codes such as -999 or 0, infinities, far tails.

A change of applicants that leaves the range of the reference fills the bin at that end too, and goes only a little
beyond it. A code does neither: many rows have one value, and the bin next to it stays as it was. Nor do amounts with
the other sign.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitoring.faults.column import Column, errors_apart, is_gradual, odds_ratio, share
from monitoring.faults.fault import Fault, Subject, column_finder
from monitoring.faults.limits import FaultLimits
from monitoring.faults.observed import MISSING
from monitoring.faults.reference_quantiles import Floats

OUTSIDE_REFERENCE = "values outside the reference"

FAR = 0.25
"""Values are far from the range where they are further from it than this part of its width."""

VERY_FAR = 6
"""Values this many times as far are not explained by a move of all others in their direction, either."""

MORE_OFTEN = 4
"""A value this many times as frequent as the second most frequent one of the range is not one more of its values."""

NEAREST = 3
"""Values at the end of the range that a value next to it is compared with."""

LEAST_REPEATS = 3
MOST_NAMED = 3


@dataclass(frozen=True)
class End:
    """One end of the range: the bin outside it, the bin inside it, the last value of the reference, and the side."""

    outside: int
    inside: int
    last: float
    sign: int

    def beyond(self, values: Floats) -> Floats:
        """Return the values outside this end."""
        return values[self.sign * (values - self.last) > 0]


@dataclass(frozen=True)
class Beyond:
    """What is outside an end: the share of all rows, the repeated values with their shares, the median of all.

    `has_other_sign`: enough of them have a sign that no value of the reference has, and did not drift through zero.
    """

    end: End
    share: float
    repeated: tuple[tuple[float, float], ...]
    median: float
    has_other_sign: bool = False


def outside_reference(column: Column, limits: FaultLimits) -> Fault | None:
    """Return a fault where rows are outside the range of the reference that no change of applicants explains."""
    bins = column.bins
    if not column.is_numeric or bins.lowest == bins.highest or int(column.current.sum()) < limits.rows:
        return None
    ends = (End(MISSING + 1, MISSING + 2, bins.lowest, -1), End(-1, -2, bins.highest, 1))
    found = [beyond for end in ends if (beyond := _beyond(column, end, limits)) is not None]
    return _fault(column, found) if found else None


FINDER = column_finder(OUTSIDE_REFERENCE, outside_reference, Subject.VALUES, rank=25)


def _beyond(column: Column, end: End, limits: FaultLimits) -> Beyond | None:
    now, before = share(column.current, end.outside), max(share(past, end.outside) for past in column.past)
    if now - before < limits.outside or odds_ratio(now, before) < limits.odds:
        return None
    rows, reference_rows = int(column.current.sum()), int(column.reference.sum())
    if errors_apart(int(column.current[end.outside]), rows, before * reference_rows, reference_rows) < limits.errors:
        return None
    if is_gradual(before, [share(one, end.outside) for one in column.earlier], now):
        return None
    sample = np.empty(0) if column.sample is None else column.sample.dropna().to_numpy(np.float64)
    beyond = end.beyond(sample)
    outside = beyond[beyond != 0] if column.zero_is_none else beyond  # a count of nothing is no code
    if not len(outside):
        return None
    now *= len(outside) / len(beyond)
    grown = share(column.current, end.inside) - share(column.reference, end.inside)
    tail = _Tail(column, end, sample, passed_through=grown >= now / 2)
    repeated = tuple((value, part) for value, part in _repeated(outside, now, limits) if not tail.explains(value))
    median = float(np.quantile(outside, 0.5, method="inverted_cdf"))
    if reference_rows < limits.least_reference:
        repeated = tuple(one for one in repeated if _changes_sign(column, end, one[0]) or _is_far(column, end, one[0]))
        return Beyond(end, now, repeated, median) if repeated else None
    turned = now * float(np.mean([_changes_sign(column, end, value) for value in outside]))
    has_other_sign = turned >= limits.outside and not tail.passed_through
    if repeated or has_other_sign or _is_far(column, end, median, times=VERY_FAR if tail.passed_through else 1):
        return Beyond(end, now, repeated, median, has_other_sign)
    return None


def _repeated(outside: Floats, now: float, limits: FaultLimits) -> list[tuple[float, float]]:
    """Return the values that many rows have, the most frequent first, with their shares of all rows."""
    values, times = np.unique(outside, return_counts=True)
    shares = now * times / len(outside)
    order = np.argsort(-shares, kind="stable")[:MOST_NAMED]
    often = [index for index in order if shares[index] >= limits.outside and times[index] >= LEAST_REPEATS]
    return [(float(values[index]), float(shares[index])) for index in often]


class _Tail:
    """The sampled values on both sides of an end of the range: whether they are one distribution.

    `passed_through` is whether the bin at the end was filled as well.
    """

    def __init__(self, column: Column, end: End, sample: Floats, *, passed_through: bool) -> None:
        self.passed_through = passed_through
        self._column, self._end = column, end
        inside = sample[(sample >= column.bins.lowest) & (sample <= column.bins.highest)]
        self._inside, times = np.unique(end.sign * inside, return_counts=True)
        self._outside, self._times = np.unique(end.sign * end.beyond(sample), return_counts=True)
        self._most_at_end = times[-NEAREST:].max(initial=0)
        self._spacing = np.diff(self._inside).max(initial=0.0)
        self._often_inside = int(np.sort(times)[-2]) if len(times) > 1 else 0

    def explains(self, value: float) -> bool:
        """Return whether a repeated value may be one more of a tail: no gap before it, and no more frequent."""
        signed = self._end.sign * value
        if not np.isfinite(value) or _changes_sign(self._column, self._end, value) or not len(self._inside):
            return False
        up_to = self._outside[self._outside <= signed]
        if self._times[len(up_to) - 1] > MORE_OFTEN * self._often_inside:
            return False
        if np.diff([self._inside[-1], *up_to]).max() > 1.5 * self._spacing:
            return False
        is_next = self._end.sign > 0 and self._times[len(up_to) - 1] <= 2 * self._most_at_end
        return self.passed_through or is_next  # what grows with time, such as an age of accounts, has a next value


def _changes_sign(column: Column, end: End, value: float) -> bool:
    return value < 0 <= column.bins.lowest if end.sign < 0 else value > 0 >= column.bins.highest


def _is_far(column: Column, end: End, value: float, *, times: float = 1) -> bool:
    """Whether a value is far from the end of the range, in proportion where all of them are above zero."""
    lowest, highest = column.bins.lowest, column.bins.highest
    if abs(value - end.last) > times**2 * FAR * (highest - lowest):
        return True
    return min(lowest, value) > 0 and abs(np.log(value / end.last)) > times * FAR * np.log(highest / lowest)


def _fault(column: Column, found: Sequence[Beyond]) -> Fault:
    bins, rows = column.bins, int(column.current.sum())
    is_code = any(one.repeated for one in found)
    is_infinite = any(np.isinf(value) for one in found for value, _ in one.repeated)
    if is_infinite:
        cause = "A division by zero at the source, or a number that is too large for its type."
    elif any(one.has_other_sign and not one.repeated for one in found):
        cause = "The sign is turned at the source, or records of another kind, such as refunds, are among the rows."
    elif is_code:
        cause = "A code for missing or special values that is written as a number, or a default of the source."
    else:
        cause = "Another unit or other records in some rows, or the source lifted a limit."
    return Fault(
        OUTSIDE_REFERENCE,
        column.name,
        f"'{column.name}' is {' and '.join(map(_extent, found))} of {rows:,} rows; all values of the reference are "
        f"between {_number(bins.lowest)} and {_number(bins.highest)}.",
        cause,
        f"Correct '{column.name}' at the source, or declare the value as missing or special where the table is read, "
        "and score the period again. Do not retrain: the model would take it for an amount.",
    )


def _extent(beyond: Beyond) -> str:
    if beyond.repeated:
        return " and ".join(f"{_number(value)} in {part:.1%}" for value, part in beyond.repeated)
    side = "above" if beyond.end.sign > 0 else "below"
    return f"{side} {_number(beyond.end.last)} (median {_number(beyond.median)}) in {beyond.share:.1%}"


def _number(value: float) -> str:
    return ("infinite" if value > 0 else "minus infinite") if np.isinf(value) else f"{value:,.7g}"
