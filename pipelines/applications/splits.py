"""Which applications a model may learn from, and which it is judged on."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.applications.applications import Applications
from pipelines.applications.settings import SplitSettings
from pipelines.errors import ConfigurationError, DataError

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Fold:
    """One division of the development part: rows to fit on, rows held out."""

    fit: Rows
    held_out: Rows


@dataclass(frozen=True)
class Split:
    """Rows for development, with their folds, and rows for the test that no search sees.

    Folds index the development part. `test_part` is the hash of the test's application ids: two models were judged on
    the same applications when it is equal.
    """

    development: Rows
    test: Rows
    folds: tuple[Fold, ...]
    test_part: str
    description: str


def split_applications(applications: Applications, settings: SplitSettings, *, seed: int) -> Split:
    """Divide applications out of time where they have a time, stratified by outcome otherwise.

    Raises:
        ConfigurationError: a share, a number of folds or a date outside its range.
        DataError: a part that is empty or holds one outcome only.
    """
    if not 0 < settings.test < 1:
        raise ConfigurationError(f"split.test must lie between 0 and 1, received {settings.test}; use for example 0.3")
    if settings.folds < 2:
        raise ConfigurationError(f"split.folds must be at least 2, received {settings.folds}; use for example 5")
    if not len(applications):
        raise DataError("a split needs applications, received none; look into the quarantine or correct the table")
    if applications.times is None:
        split = _stratified(applications, settings, seed)
    else:
        split = _out_of_time(applications, applications.times, settings)
    _check_outcomes(applications, split)
    return split


def _stratified(applications: Applications, settings: SplitSettings, seed: int) -> Split:
    from sklearn.model_selection import StratifiedKFold, train_test_split

    if settings.cutoff is not None:
        raise ConfigurationError(
            f"split.cutoff needs a time role, received '{settings.cutoff}' and no data.time; add data.time=COLUMN"
        )
    bad = applications.outcomes
    fewest = int(min(bad.sum(), len(bad) - bad.sum()))
    if fewest < 2 * settings.folds:
        raise DataError(
            f"{settings.folds} folds and a test part need at least {2 * settings.folds} applications of each outcome, "
            f"received {fewest} of the rarer one; add data or lower split.folds"
        )
    tested = round(settings.test * fewest)
    if tested < 1 or fewest - tested < settings.folds:
        raise DataError(
            f"split.test must leave one application of each outcome for the test and {settings.folds} for the folds, "
            f"{settings.test} of {fewest} of the rarer one leaves {tested} and {fewest - tested}; use for example 0.3"
        )
    development, test = train_test_split(np.arange(len(bad)), test_size=settings.test, stratify=bad, random_state=seed)
    development, test = np.sort(development), np.sort(test)
    folds = StratifiedKFold(settings.folds, shuffle=True, random_state=seed).split(development, bad[development])
    described = f"stratified by outcome, {len(development)} for development, {len(test)} for the test"
    return Split(development, test, tuple(Fold(*fold) for fold in folds), _part(applications, test), described)


def _out_of_time(applications: Applications, times: NDArray[np.datetime64], settings: SplitSettings) -> Split:
    cutoff = _cutoff(times, settings)
    is_earlier = times < cutoff
    is_known = _known_by(cutoff, applications)
    development, test = np.flatnonzero(is_earlier & is_known), np.flatnonzero(times >= cutoff)
    day = np.datetime_as_string(cutoff, unit="D")
    if not len(test):
        raise DataError(
            f"out-of-time split found no applications on or after {day} "
            f"(latest {np.datetime_as_string(times.max(), unit='D')}); lower split.cutoff"
        )
    if not is_earlier.any():
        raise DataError(
            f"out-of-time split found no applications before {day} "
            f"(earliest {np.datetime_as_string(times.min(), unit='D')}); raise split.cutoff"
        )
    if not len(development):
        raise DataError(
            f"a model learns from outcomes that were known when its test begins, none of {int(is_earlier.sum()):,} "
            f"applications before {day} has one; raise split.cutoff, lower split.test or choose an earlier outcome"
        )
    folds, embargoed = _time_ordered_folds(applications.take(development), settings.folds)
    described = f"out of time at {day}, {len(development)} before for development, {len(test)} after for the test"
    if applications.outcome_known_at is not None:
        described += f", {int((is_earlier & ~is_known).sum())} under embargo; {embargoed}"
    return Split(development, test, folds, _part(applications, test), described)


def _known_by(moment: np.datetime64, applications: Applications) -> NDArray[np.bool_]:
    """Return whether each outcome was known at a moment; where nobody told, it counts as known at once."""
    if applications.outcome_known_at is None:
        return np.ones(len(applications), bool)
    return np.asarray(applications.outcome_known_at <= moment)


def _cutoff(times: NDArray[np.datetime64], settings: SplitSettings) -> np.datetime64:
    if settings.cutoff is None:
        latest: np.datetime64 = np.sort(times)[int(len(times) * (1 - settings.test))]
        return latest
    try:
        return np.datetime64(settings.cutoff, "us")
    except ValueError as error:
        message = f"split.cutoff must be an ISO date, received '{settings.cutoff}'; write for example 2024-06-30"
        raise ConfigurationError(message) from error


def _time_ordered_folds(applications: Applications, folds: int) -> tuple[tuple[Fold, ...], str]:
    """Return folds that fit on the past and hold out what follows, and whether an embargo lies between.

    Equal times stay on one side. The embargo is kept where every fold then still has a third of its rows to fit on;
    a development part that is not much longer than the performance window has no room for one.
    """
    times = applications.times
    assert times is not None
    ordered = np.sort(times)
    starts = [ordered[len(ordered) * part // (folds + 1)] for part in range(1, folds + 1)]
    ends = [*starts[1:], ordered[-1] + np.timedelta64(1, "us")]
    open_ones = [
        Fold(np.flatnonzero(times < start), np.flatnonzero((times >= start) & (times < end)))
        for start, end in zip(starts, ends, strict=True)
    ]
    kept = [
        Fold(fold.fit[_known_by(start, applications)[fold.fit]], fold.held_out)
        for fold, start in zip(open_ones, starts, strict=True)
    ]
    if all(3 * len(one.fit) >= len(other.fit) for one, other in zip(kept, open_ones, strict=True)):
        return tuple(kept), "folds keep it too"
    return tuple(open_ones), "folds have no room for it"


def _part(applications: Applications, rows: Rows) -> str:
    return hashlib.sha256("\n".join(sorted(applications.ids[rows])).encode()).hexdigest()


def _check_outcomes(applications: Applications, split: Split) -> None:
    bad = applications.outcomes
    parts = {"the development part": split.development, "the test part": split.test}
    for number, fold in enumerate(split.folds, start=1):
        parts[f"the rows to fit on of fold {number}"] = split.development[fold.fit]
        parts[f"the held-out rows of fold {number}"] = split.development[fold.held_out]
    for name, rows in parts.items():
        if len(np.unique(bad[rows])) < 2:
            raise DataError(
                f"each part of a split needs both outcomes, {name} has {int(bad[rows].sum())} bad of {len(rows)}; "
                "change split.cutoff or split.test, lower split.folds or add data"
            )
