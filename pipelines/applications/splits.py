"""Splits applications into a development part with folds and a test part."""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.applications.applications import Applications
from pipelines.applications.date_cuts import DateCuts, Times
from pipelines.applications.embargo import embargo_advice, later_cutoff
from pipelines.applications.settings import SplitSettings
from pipelines.applications.shortened import WHOLE, Shortening
from pipelines.applications.twins import Twins, find_twins
from pipelines.errors import ConfigurationError, DataError
from pipelines.reading.spelling import iso_day

log = logging.getLogger(__name__)

Rows = NDArray[np.intp]

SHORT_HISTORY = 4
"""With less than one application in so many left by the embargo, a split comes with advice."""

WITHOUT_EMBARGO = "split without an embargo"
"""How the advice ends where no embargo is possible."""

SMALLEST_TEST = 0.5
"""The test part may begin later, where the folds need more dates, until so much of its share is left."""


@dataclass(frozen=True)
class Fold:
    """One division of the development part: the rows to fit on and the rows held out."""

    fit: Rows
    held_out: Rows


@dataclass(frozen=True)
class Split:
    """Rows of the development part, with its folds, and rows of the test part, which no search uses.

    Folds index the development part. `blocks`, shape (n,), number its rows for averages, whose models leave one block
    out each: the held-out part of a fold, or one of as many periods. `test_part` is the hash of the test part's
    application ids: two models were tested on the same applications when it is equal. `twins` are on one side of every
    division. `advice` says in numbers what an embargo leaves of a history that is short for it, and what leaves more.
    """

    development: Rows
    test: Rows
    folds: tuple[Fold, ...]
    test_part: str
    description: str
    blocks: Rows
    twins: Twins | None = None
    advice: str | None = None


def split_applications(applications: Applications, settings: SplitSettings) -> Split:
    """Split applications out of time where they have times, stratified by outcome otherwise.

    Raises:
        ConfigurationError: a share, a number of folds or months, or a date out of range.
        DataError: a part is empty or has one outcome only.
    """
    if not 0 < settings.test < 1:
        raise ConfigurationError(f"split.test is {settings.test}; set a share between 0 and 1, such as 0.3")
    if settings.folds < 2:
        raise ConfigurationError(f"split.folds is {settings.folds}; set at least 2, for example 5")
    if not len(applications):
        raise DataError("no application is left to split; look into the quarantine or correct the table")
    shortening = Shortening.of(settings, has_times=applications.times is not None)
    twins = find_twins(applications)
    if twins.rows:
        message = "%s of %s applications are twins (%s); they stay on one side of every split and fold"
        log.warning(message, f"{twins.rows:,}", f"{len(applications):,}", twins)
    if applications.times is None:
        split = _stratified(applications, settings, twins, shortening)
    else:
        split = _out_of_time(applications, applications.times, settings, twins, shortening)
    _check_outcomes(applications, split)
    return replace(split, twins=twins)


def _stratified(applications: Applications, settings: SplitSettings, twins: Twins, shortening: Shortening) -> Split:
    from sklearn.model_selection import StratifiedKFold, train_test_split

    if settings.cutoff is not None:
        raise ConfigurationError(
            f"split.cutoff is '{settings.cutoff}' but data.time is not set; add data.time=COLUMN or leave it out"
        )
    bad = applications.outcomes
    fewest = int(min(bad.sum(), len(bad) - bad.sum()))
    if fewest < 2 * settings.folds:
        raise DataError(
            f"the rarer outcome has {fewest} applications, and {settings.folds} folds with a test part need at least "
            f"{2 * settings.folds} of each; add data or lower split.folds"
        )
    tested = round(settings.test * fewest)
    if tested < 1 or fewest - tested < settings.folds:
        raise DataError(
            f"split.test={settings.test} leaves {tested} applications of the rarer outcome for the test and "
            f"{fewest - tested} for the folds, which need at least 1 and {settings.folds}; use for example 0.3"
        )
    _, drawn = train_test_split(np.arange(len(bad)), test_size=settings.test, stratify=bad, random_state=settings.seed)
    is_tested = twins.as_first(np.isin(np.arange(len(bad)), drawn))
    development, test = np.flatnonzero(~is_tested), np.flatnonzero(is_tested)
    _check_both_outcomes(bad, {"the development part": development, "the test part": test})
    development = development[shortening.checked(bad[development], settings.folds)]
    number = np.empty(len(development), np.intp)
    folds = StratifiedKFold(settings.folds, shuffle=True, random_state=settings.seed).split(
        development, bad[development]
    )
    for fold, (_, held_out) in enumerate(folds):
        number[held_out] = fold
    number = twins.take(development).as_first(number)
    description = (
        f"stratified by outcome, {len(development)} for development{shortening.note}, {len(test)} for the test"
    )
    moved = int((is_tested != np.isin(np.arange(len(bad)), drawn)).sum())
    if moved:
        description += f", {moved} moved to the side of their twins"
    divided = tuple(
        Fold(np.flatnonzero(number != fold), np.flatnonzero(number == fold)) for fold in range(settings.folds)
    )
    return Split(development, test, divided, _part(applications, test), description, number)


def _out_of_time(
    applications: Applications, times: Times, settings: SplitSettings, twins: Twins, shortening: Shortening
) -> Split:
    cutoffs = _cutoffs(times, settings)
    without_features = replace(applications, features=pd.DataFrame(index=range(len(applications))), raw=None)
    attempt = Attempt(without_features, twins, settings.folds)
    for cutoff in cutoffs:
        split = _split_at(cutoff, attempt)
        if split is not None:
            advice = _advice_on_short(attempt, cutoff, len(split.development))
            shorter = _split_at(cutoff, replace(attempt, shortening=shortening)) if shortening else split
            if shorter is None:
                raise shortening.refusal(
                    applications.outcomes[split.development], settings.folds, times[split.development]
                )
            return replace(shorter, advice=advice)
    advice = _too_little(attempt, cutoffs)
    if not applications.known_at_is_assumed:
        raise DataError(advice)
    without = replace(applications, outcome_known_at=None)
    split = _out_of_time(without, times, settings, twins, shortening)
    description = f"{split.description}, without an embargo"
    return replace(split, description=description, advice=f"{advice}; {WITHOUT_EMBARGO}")


@dataclass(frozen=True)
class Attempt:
    """What is split at a cutoff: applications with times and without features, a number of folds, and a shortening."""

    applications: Applications
    twins: Twins
    folds: int
    shortening: Shortening = WHOLE

    @property
    def times(self) -> Times:
        """The times of the applications."""
        assert self.applications.times is not None
        return self.applications.times

    def is_possible(self, cutoff: np.datetime64) -> bool:
        """Whether the split at a cutoff has both outcomes in each part and fold."""
        if not (self.times < cutoff).any() or len(np.unique(self.applications.outcomes[self.times >= cutoff])) < 2:
            return False
        return _split_at(cutoff, self) is not None


def _split_at(cutoff: np.datetime64, attempt: Attempt) -> Split | None:
    """Return the split at a cutoff, None where what is before it is too little for the folds.

    Twins of test applications are left out of development, and twins of held-out ones out of the rows to fit on.
    """
    applications, times, twins = attempt.applications, attempt.times, attempt.twins
    is_earlier, is_known = times < cutoff, _known_by(cutoff, applications)
    development, test = np.flatnonzero(is_earlier & is_known), np.flatnonzero(times >= cutoff)
    if not len(test):
        raise DataError(
            f"no application was made on or after the cutoff {iso_day(cutoff)} (latest {iso_day(times.max())}); lower "
            "split.cutoff"
        )
    if not is_earlier.any():
        raise DataError(
            f"no application was made before the cutoff {iso_day(cutoff)} (earliest {iso_day(times.min())}); raise "
            "split.cutoff"
        )
    is_twin = twins.across(development, test)
    development = development[~is_twin]
    development = development[attempt.shortening.keep(applications.outcomes[development], times[development])]
    divided = _time_ordered_folds(applications.take(development), attempt.folds, twins.take(development))
    if divided is None:
        return None
    description = (
        f"out of time at {iso_day(cutoff)}, {len(development)} before for development{attempt.shortening.note}, "
        f"{len(test)} after for the test"
    )
    if applications.outcome_known_at is not None:
        description += f", {int((is_earlier & ~is_known).sum())} under embargo; {divided[1]}"
    if is_twin.any():
        description += f"; {int(is_twin.sum())} left out of development as twins of test applications"
    blocks = _periods(applications.take(development), attempt.folds, twins.take(development))
    return Split(development, test, divided[0], _part(applications, test), description, blocks)


def _known_by(moment: np.datetime64, applications: Applications) -> NDArray[np.bool_]:
    """Return whether each outcome was known at a moment; without `outcome_known_at` every outcome counts as known."""
    if applications.outcome_known_at is None:
        return np.ones(len(applications), bool)
    return np.asarray(applications.outcome_known_at <= moment)


def _cutoffs(times: Times, settings: SplitSettings) -> list[np.datetime64]:
    """Return the first date of the test part, and later ones where it is not declared and may move."""
    if settings.cutoff is not None:
        try:
            return [np.datetime64(settings.cutoff, "us")]
        except ValueError as error:
            message = f"split.cutoff is '{settings.cutoff}'; write an ISO date such as 2024-06-30"
            raise ConfigurationError(message) from error
    dates, rows = np.unique(times, return_counts=True)
    if len(dates) < 2:
        raise DataError(
            f"all {len(times):,} applications have the time {iso_day(times.min())}, and the test part begins at a "
            "later one; add data, or leave data.time out to draw the test part at random"
        )
    first = max(int(np.searchsorted(np.cumsum(rows), int(len(times) * (1 - settings.test)), side="right")), 1)
    remaining = np.cumsum(rows[::-1])[::-1]
    return [
        date
        for index, date in enumerate(dates)
        if index == first or (index > first and remaining[index] >= SMALLEST_TEST * settings.test * len(times))
    ]


def _time_ordered_folds(applications: Applications, folds: int, twins: Twins) -> tuple[tuple[Fold, ...], str] | None:
    """Return folds that fit on the past and hold out what follows, and a description of their embargo.

    Equal times stay on one side; None where the dates are too few, or the rows without twins. The embargo applies only
    where every fold keeps a third of its rows to fit on: a development part that is not much longer than the
    performance window is too short for one.
    """
    times = applications.times
    assert times is not None
    starts = DateCuts(times, applications.outcomes).starts(folds + 1)
    if starts is None:
        return None
    ends = [*starts[1:], times.max() + np.timedelta64(1, "us")]
    without_embargo = []
    for start, end in zip(starts, ends, strict=True):
        fit, held_out = np.flatnonzero(times < start), np.flatnonzero((times >= start) & (times < end))
        without_embargo.append(Fold(fit[~twins.across(fit, held_out)], held_out))
    with_embargo = [
        Fold(fold.fit[_known_by(start, applications)[fold.fit]], fold.held_out)
        for fold, start in zip(without_embargo, starts, strict=True)
    ]
    bad = applications.outcomes
    if any(len(np.unique(bad[fold.fit])) < 2 for fold in without_embargo):
        return None
    pairs = zip(with_embargo, without_embargo, strict=True)
    if all(3 * len(one.fit) >= len(other.fit) and len(np.unique(bad[one.fit])) == 2 for one, other in pairs):
        return tuple(with_embargo), "folds have an embargo too"
    return tuple(without_embargo), "folds are too short for an embargo"


def _periods(applications: Applications, number: int, twins: Twins) -> Rows:
    """Return the period of each application, 0 to number - 1; twins have that of the first of them."""
    assert applications.times is not None
    starts = DateCuts(applications.times, applications.outcomes).starts(number)
    assert starts is not None  # there are dates for one period more, see _time_ordered_folds
    return twins.as_first(np.searchsorted(starts, applications.times, side="right"))


def _too_little(attempt: Attempt, cutoffs: Sequence[np.datetime64]) -> str:
    """Return the message that the applications before the first cutoff are too few for the folds, with advice."""
    cutoff, folds, applications = cutoffs[0], attempt.folds, attempt.applications
    is_known = _known_by(cutoff, applications)
    before, test = np.flatnonzero(attempt.times < cutoff), np.flatnonzero(attempt.times >= cutoff)
    is_twin = attempt.twins.across(before, test)
    everything, past = (applications.take(before[rows]) for rows in (~is_twin, ~is_twin & is_known[before]))
    assert everything.times is not None
    assert past.times is not None
    fewer = next((f"set split.folds={one}" for one in range(folds - 1, 1, -1)
                  if any(map(replace(attempt, folds=one).is_possible, cutoffs))), None)  # fmt: skip
    if not is_known[before].all() and DateCuts(everything.times, everything.outcomes).most_blocks > folds:
        return embargo_advice(attempt.applications, cutoff, len(past), fewer, _is_possible(attempt))
    dates, bad, twins = len(np.unique(past.times)), int(past.outcomes.sum()), int(is_twin.sum())
    without = f", without {twins:,} twins of test applications," if twins else ""
    remedies = [*([fewer] if fewer else []), *later_cutoff(attempt.applications, cutoff, attempt.is_possible)]
    return (
        f"the {len(past):,} applications before the cutoff {iso_day(cutoff)} ({bad:,} bad){without} have {dates} "
        f"distinct dates, and {folds} folds need {folds + 1} periods with new dates and both outcomes; "
        f"{'; or '.join(remedies) or 'add data'}"
    )


def _advice_on_short(attempt: Attempt, cutoff: np.datetime64, left: int) -> str | None:
    """Return the advice on a history of which the embargo leaves little, None for a long one."""
    if SHORT_HISTORY * left >= (attempt.times < cutoff).sum():
        return None
    return embargo_advice(attempt.applications, cutoff, left, None, _is_possible(attempt))


def _is_possible(attempt: Attempt) -> Callable[[Applications, np.datetime64], bool]:
    """Return the question whether applications with other times of their outcomes can be split at a cutoff."""
    return lambda applications, cutoff: replace(attempt, applications=applications).is_possible(cutoff)


def _part(applications: Applications, rows: Rows) -> str:
    return hashlib.sha256("\n".join(sorted(applications.ids[rows])).encode()).hexdigest()


def _check_outcomes(applications: Applications, split: Split) -> None:
    parts: dict[str, Rows] = {"the development part": split.development, "the test part": split.test}
    for number, fold in enumerate(split.folds, start=1):
        parts[f"the rows to fit on of fold {number}"] = split.development[fold.fit]
        parts[f"the held-out rows of fold {number}"] = split.development[fold.held_out]
    _check_both_outcomes(applications.outcomes, parts, applications.possible_immaturity)


def _check_both_outcomes(bad: NDArray[np.int8], parts: Mapping[str, Rows], sign: str | None = None) -> None:
    for name, rows in parts.items():
        if len(np.unique(bad[rows])) < 2:
            raise DataError(
                f"{name} has {int(bad[rows].sum())} bad of {len(rows)}, and each part of a split needs both outcomes; "
                f"change split.cutoff or split.test, lower split.folds or add data{f'; {sign}' if sign else ''}"
            )
