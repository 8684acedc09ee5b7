"""The trials of a study side by side: best first, and the best of each family."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.compare.against_best import behind_best
from experiments.compare.studies import StudyRecord
from experiments.experiment.recorded_settings import FAMILY
from experiments.search.stored_studies import State, StoredTrial
from experiments.search.trial_result import AUCS, COST, FOLDS, TREES


def trial_rows(record: StudyRecord) -> list[dict[str, Any]]:
    """Return the finished trials, the best first, the earliest of equals, each with its difference to the best."""
    ranked = ranked_trials(record)
    differences = _behind(record, ranked)
    return [_row(record, trial) | {"behind": differences.get(trial.number)} for trial in ranked]


def family_rows(record: StudyRecord) -> list[dict[str, Any]]:
    """Return the families, the best first: their best trial, and all their trials and seconds.

    A family whose trials all failed or were given up has no best trial and comes last.
    """
    best: dict[str, StoredTrial] = {}
    for trial in ranked_trials(record):
        best.setdefault(family_of(record, trial), trial)
    differences = _behind(record, list(best.values()))
    others = sorted({family_of(record, trial) for trial in record.trials} - set(best))
    rows = [_row(record, trial) | {"behind": differences.get(trial.number)} for trial in best.values()]
    empty: dict[str, Any] = {
        "trial": None,
        "cv_auc": None,
        "trees": None,
        "cost": None,
        "behind": None,
        "parameters": {},
    }
    rows += [{"family": family} | empty for family in others]
    return [row | _totals(record, row["family"]) for row in rows]


def ranked_trials(record: StudyRecord) -> list[StoredTrial]:
    """Return the finished trials, the best first (see `StoredTrial.rank`)."""
    return sorted((trial for trial in record.trials if trial.value is not None), key=lambda trial: trial.rank)


def family_of(record: StudyRecord, trial: StoredTrial) -> str:
    """Return the family of a trial."""
    return str(trial.parameters.get(FAMILY) or record.name.candidate or "unknown")


def counts_of(trials: Sequence[StoredTrial]) -> dict[str, int]:
    """Return how many trials are in which state."""
    counts = Counter(trial.state for trial in trials)
    return {state.value: counts[state] for state in State if state is not State.WAITING}


def seconds_of(trials: Sequence[StoredTrial]) -> float:
    """Return the seconds that were spent on trials."""
    return sum(trial.seconds or 0.0 for trial in trials)


def _row(record: StudyRecord, trial: StoredTrial) -> dict[str, Any]:
    return {
        "trial": trial.number,
        "family": family_of(record, trial),
        "cv_auc": trial.value,
        "second_objective": trial.values[1] if len(trial.values) > 1 else None,
        "trees": trial.notes.get(TREES),
        "seconds": trial.seconds,
        "cost": trial.notes.get(COST),
        "breach": trial.breach,
        "parameters": {name: value for name, value in trial.parameters.items() if name != FAMILY},
    }


def _totals(record: StudyRecord, family: str) -> dict[str, Any]:
    own = [trial for trial in record.trials if family_of(record, trial) == family]
    return {"trials": counts_of(own), "seconds": seconds_of(own)}


def _behind(record: StudyRecord, ranked: Sequence[StoredTrial]) -> Mapping[int, dict[str, Any]]:
    """Return how far trials are behind the first one; none where a study has no record of its folds."""
    folds = record.name.notes.get(FOLDS)
    aucs = {trial.number: trial.notes[AUCS] for trial in ranked if AUCS in trial.notes}
    if folds is None or not ranked or ranked[0].number not in aucs:
        return {}
    differences = behind_best(aucs, ranked[0].number, folds["held_out_to_fit"])
    return {number: one.record() for number, one in differences.items()}
