"""Warm starts: the configurations of earlier studies that a study tries first.

They are looked up once, when the study is created, and are kept with it and belong to its identity: whatever the store
holds later, every command and every worker of the study has the same ones.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection

from experiments.experiment.experiment import Experiment
from experiments.experiment.recorded_settings import FAMILY
from experiments.experiment.warm_starts import WarmStart
from experiments.search.optuna_adapter import study_storage
from experiments.search.plan import spaces_of
from experiments.search.space import Space, is_within
from experiments.search.stored_studies import StoredTrial, StudyName, stored_trials, study_names
from experiments.search.study_database import existing_studies
from pipelines.storage.fingerprint import fingerprint_record
from pipelines.storage.worker_locks import WorkerLocks
from pipelines.storage.workspace import Workspace

MOST_OF_A_FAMILY = 3
"""So many configurations of a family are taken from earlier studies."""

SHAPE, WARM_START = "shape", "warm_start"
"""Notes of a study: the shape of its data, and its warm starts with its identity before these were known."""


def shape_of(experiment: Experiment) -> str:
    """Return the shape of an experiment's data: a hash of the names of its numeric and of its categorical features."""
    roles = experiment.applications.roles
    return fingerprint_record({"numeric": sorted(roles.numeric), "categorical": sorted(roles.categorical)})[:16]


def study_notes(experiment: Experiment, without_warm_start: str | None = None) -> dict[str, Any]:
    """Return what is noted of a study when it is created, for its own later commands and for later studies."""
    notes = {SHAPE: shape_of(experiment)}
    if without_warm_start is None:
        return notes
    return notes | {WARM_START: {"of": without_warm_start, "starts": [asdict(one) for one in experiment.starts]}}


@contextmanager
def started(experiment: Experiment) -> Iterator[tuple[Experiment, dict[str, Any]]]:
    """Yield an experiment with its warm starts, and the notes to create its study with before the block ends.

    Without `warm_start` the experiment stays as it is. No other worker looks up the same warm starts meanwhile.
    """
    if not experiment.settings.warm_start:
        yield experiment, study_notes(experiment)
        return
    workspace, identity = Workspace.at(experiment.settings.workspace), experiment.study
    storage = study_storage(workspace)
    with WorkerLocks(storage.engine).waited_for(f"{identity}/{WARM_START}"):
        warm = replace(experiment, starts=tuple(_starts(experiment, workspace)))
        yield warm, study_notes(warm, identity)


def _starts(experiment: Experiment, workspace: Workspace) -> list[WarmStart]:
    """Return the warm starts that are kept with the experiment's study, or those for a new one."""
    engine = existing_studies(workspace)
    assert engine is not None  # its locks are in the same database
    with engine.connect() as connection:
        names = study_names(connection)
        for name in names:
            kept = name.notes.get(WARM_START, {})
            if kept.get("of") == experiment.study:
                return [WarmStart(**one) for one in kept["starts"]]
        return best_of_earlier(connection, names, shape_of(experiment), spaces_of(experiment, stops=False))


def best_of_earlier(
    connection: Connection, names: list[StudyName], shape: str, spaces: Mapping[str, Space]
) -> list[WarmStart]:
    """Return the best configurations of earlier studies on data of a shape that are within the spaces of families.

    The best trial of each study comes first, then the second best ones; AUCs of different data do not compare. Studies
    with more trials of the family go before others, newer ones before older ones. At most three configurations of each
    family are returned, none of them twice.
    """
    ranked: list[tuple[tuple[int, int, int], WarmStart]] = []
    for name in names:
        if name.notes.get(SHAPE) == shape:
            for family, trials in _by_family(stored_trials(connection, name), name).items():
                best = sorted(trials, key=lambda one: one.rank)
                starts = _distinct([_start(name, family, one) for one in best if _is_within(one, spaces.get(family))])
                ranked += [((rank, -len(trials), -name.row), one) for rank, one in enumerate(starts[:MOST_OF_A_FAMILY])]
    ranked.sort(key=lambda one: one[0])
    taken: list[WarmStart] = []
    for start in _distinct([start for _, start in ranked]):
        if sum(one.family == start.family for one in taken) < MOST_OF_A_FAMILY:
            taken.append(start)
    return taken


def _by_family(trials: list[StoredTrial], name: StudyName) -> dict[str, list[StoredTrial]]:
    """Return the finished trials of a study by their family."""
    families: dict[str, list[StoredTrial]] = {}
    for trial in trials:
        if trial.value is not None:
            families.setdefault(str(trial.parameters.get(FAMILY, name.candidate)), []).append(trial)
    return families


def _is_within(trial: StoredTrial, space: Space | None) -> bool:
    """Return whether a trial has a searched parameter, and each of them within its range."""
    own = {} if space is None else {name: one for name, one in space.items() if name in trial.parameters}
    return bool(own) and all(is_within(one, trial.parameters[name]) for name, one in own.items())


def _start(name: StudyName, family: str, trial: StoredTrial) -> WarmStart:
    parameters = {key: value for key, value in trial.parameters.items() if key != FAMILY}
    return WarmStart(name.identity, trial.number, family, parameters)


def _distinct(starts: list[WarmStart]) -> list[WarmStart]:
    """Return the first of those that have the same parameters."""
    return [
        one
        for place, one in enumerate(starts)
        if not any((one.family, one.parameters) == (other.family, other.parameters) for other in starts[:place])
    ]
