"""Splits applications into a development part with folds and a test part."""

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
    """One division of the development part: the rows to fit on and the rows held out."""

    fit: Rows
    held_out: Rows


@dataclass(frozen=True)
class Split:
    """Rows of the development part, with its folds, and rows of the test part, which no search uses.

    Folds index the development part. `test_part` is the hash of the test part's application ids: two models were
    tested on the same applications when it is equal.
    """

    development: Rows
    test: Rows
    folds: tuple[Fold, ...]
    test_part: str
    description: str


def split_applications(applications: Applications, settings: SplitSettings, *, seed: int) -> Split:
    """Split applications out of time where they have times, stratified by outcome otherwise.

    Raises:
        ConfigurationError: a share, a number of folds or a date out of range.
        DataError: a part is empty or has one outcome only.
    """
    if not 0 < settings.test < 1:
        raise ConfigurationError(f"split.test is {settings.test}; set a share between 0 and 1, such as 0.3")
    if settings.folds < 2:
        raise ConfigurationError(f"split.folds is {settings.folds}; set at least 2, for example 5")
    if not len(applications):
        raise DataError("no application is left to split; look into the quarantine or correct the table")
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
    development, test = train_test_split(np.arange(len(bad)), test_size=settings.test, stratify=bad, random_state=seed)
    development, test = np.sort(development), np.sort(test)
    folds = StratifiedKFold(settings.folds, shuffle=True, random_state=seed).split(development, bad[development])
    description = f"stratified by outcome, {len(development)} for development, {len(test)} for the test"
    return Split(development, test, tuple(Fold(*fold) for fold in folds), _part(applications, test), description)


def _out_of_time(applications: Applications, times: NDArray[np.datetime64], settings: SplitSettings) -> Split:
    cutoff = _cutoff(times, settings)
    is_earlier = times < cutoff
    is_known = _known_by(cutoff, applications)
    development, test = np.flatnonzero(is_earlier & is_known), np.flatnonzero(times >= cutoff)
    day = np.datetime_as_string(cutoff, unit="D")
    if not len(test):
        raise DataError(
            f"no application was made on or after the cutoff {day} "
            f"(latest {np.datetime_as_string(times.max(), unit='D')}); lower split.cutoff"
        )
    if not is_earlier.any():
        raise DataError(
            f"no application was made before the cutoff {day} "
            f"(earliest {np.datetime_as_string(times.min(), unit='D')}); raise split.cutoff"
        )
    if not len(development):
        raise DataError(
            f"none of the {int(is_earlier.sum()):,} applications before the cutoff {day} had a known outcome by then; "
            "raise split.cutoff, lower split.test or choose a definition of bad with a shorter window"
        )
    folds, embargoed = _time_ordered_folds(applications.take(development), settings.folds)
    description = f"out of time at {day}, {len(development)} before for development, {len(test)} after for the test"
    if applications.outcome_known_at is not None:
        description += f", {int((is_earlier & ~is_known).sum())} under embargo; {embargoed}"
    return Split(development, test, folds, _part(applications, test), description)


def _known_by(moment: np.datetime64, applications: Applications) -> NDArray[np.bool_]:
    """Return whether each outcome was known at a moment; without `outcome_known_at` every outcome counts as known."""
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
        message = f"split.cutoff is '{settings.cutoff}'; write an ISO date such as 2024-06-30"
        raise ConfigurationError(message) from error


def _time_ordered_folds(applications: Applications, folds: int) -> tuple[tuple[Fold, ...], str]:
    """Return folds that fit on the past and hold out what follows, and a description of their embargo.

    Equal times stay on one side. The embargo applies only where every fold keeps a third of its rows to fit on: a
    development part that is not much longer than the performance window is too short for one.
    """
    times = applications.times
    assert times is not None
    ordered = np.sort(times)
    starts = [ordered[len(ordered) * part // (folds + 1)] for part in range(1, folds + 1)]
    ends = [*starts[1:], ordered[-1] + np.timedelta64(1, "us")]
    without_embargo = [
        Fold(np.flatnonzero(times < start), np.flatnonzero((times >= start) & (times < end)))
        for start, end in zip(starts, ends, strict=True)
    ]
    with_embargo = [
        Fold(fold.fit[_known_by(start, applications)[fold.fit]], fold.held_out)
        for fold, start in zip(without_embargo, starts, strict=True)
    ]
    if all(3 * len(one.fit) >= len(other.fit) for one, other in zip(with_embargo, without_embargo, strict=True)):
        return tuple(with_embargo), "folds have an embargo too"
    return tuple(without_embargo), "folds are too short for an embargo"


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
                f"{name} has {int(bad[rows].sum())} bad of {len(rows)}, and each part of a split needs both outcomes; "
                "change split.cutoff or split.test, lower split.folds or add data"
            )
