"""The maturity of outcomes: rows whose performance window is still open, and signs of immaturity in the bad rate."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.applications.settings import DataSettings
from pipelines.credit.loan import add_months
from pipelines.errors import ConfigurationError, DataError
from pipelines.reading.spelling import iso_day

Times = NDArray[np.datetime64]

LATEST = 0.2
"""Share of the applications that counts as the latest."""

FALL, STANDARD_ERRORS = 0.8, 3.0
"""A bad rate of the latest applications below this share of the earlier rate, by so many standard errors, is a sign."""


def check_window(data: DataSettings) -> None:
    """Raise ConfigurationError for a performance window or an as-of date that cannot be used."""
    if data.performance_months is None:
        if data.as_of is not None:
            raise ConfigurationError("data.as_of is set without data.performance_months; set both or neither")
        return
    if data.performance_months < 1:
        raise ConfigurationError(
            f"data.performance_months is {data.performance_months}; set at least 1, for example 12"
        )
    if data.time is None:
        raise ConfigurationError("data.performance_months is set without data.time; add data.time=COLUMN")
    try:
        np.datetime64(data.as_of or "2026-06-30", "us")
    except ValueError as error:
        raise ConfigurationError(f"data.as_of is '{data.as_of}'; write an ISO date such as 2026-06-30") from error


def open_windows(times: Times, months: int, as_of: str | None) -> NDArray[np.bool_]:
    """Return whose performance window is open on the as-of date, by default the latest time; NaT is not open.

    Raises:
        DataError: no window is over.
    """
    known = times[~np.isnat(times)]
    if not len(known):
        return np.zeros(len(times), bool)
    last_day = np.datetime64(as_of, "us") if as_of else known.max()
    is_open = add_months(times, months) > last_day
    if is_open.sum() == len(known):
        raise DataError(
            f"no application is {months} months old on {iso_day(last_day)} (the first is of {iso_day(known.min())}); "
            "lower data.performance_months, set data.as_of to the date of the extract, or add older applications"
        )
    return np.asarray(is_open)


@dataclass(frozen=True)
class FallingRate:
    """A bad rate that falls with recency, as it does where the latest outcomes are not mature."""

    since: np.datetime64
    before: float
    now: float

    def __str__(self) -> str:
        since = iso_day(self.since)
        return f"the bad rate falls from {self.before:.1%} to {self.now:.1%} in the applications since {since}"


def falling_bad_rate(times: Times, bad: NDArray[np.int8]) -> FallingRate | None:
    """Return by how much the bad rate of the latest applications is lower, None where it is not, beyond chance."""
    begin = np.sort(times)[int((1 - LATEST) * len(times))]
    late, early = bad[times >= begin], bad[times < begin]
    if not len(early):
        return None
    before, now, rate = float(early.mean()), float(late.mean()), float(bad.mean())
    error = np.sqrt(rate * (1 - rate) * (1 / len(early) + 1 / len(late)))
    return None if now > FALL * before or before - now < STANDARD_ERRORS * error else FallingRate(begin, before, now)


def possible_immaturity(times: Times, bad: NDArray[np.int8]) -> str | None:
    """Return in words that the bad rate falls with recency, and what to declare; None where it does not."""
    fall = falling_bad_rate(times, bad)
    if fall is None:
        return None
    return (
        f"possible immaturity: {fall}; set data.performance_months to the months in which a loan can turn bad, or "
        "data.outcome_known_at"
    )
