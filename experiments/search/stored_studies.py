"""Reads studies from the tables of Optuna 5.0 in a few queries: Optuna itself reads 50 studies in seconds."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Float,
    FromClause,
    Select,
    cast,
    column,
    func,
    select,
    table,
)

from experiments.search.trial_result import FAILURE, NOTES, without_family

STUDIES = table("studies", column("study_id"), column("study_name"))
STUDY_NOTES = table("study_user_attributes", column("study_id"), column("key"), column("value_json"))
TRIALS = table(
    "trials",
    *map(column, ("trial_id", "number", "study_id", "state")),
    column("datetime_start", DateTime),
    column("datetime_complete", DateTime),
)
VALUES = table("trial_values", *map(column, ("trial_id", "objective", "value")))
PARAMETERS = table("trial_params", *map(column, ("trial_id", "param_name", "param_value", "distribution_json")))
TRIAL_NOTES = table("trial_user_attributes", *map(column, ("trial_id", "key", "value_json")))
TRIAL_ATTRIBUTES = table("trial_system_attributes", *map(column, ("trial_id", "key", "value_json")))


class State(Enum):
    """Whether a trial has ended, and how."""

    COMPLETE = "finished"
    PRUNED = "pruned"
    FAIL = "failed"
    RUNNING = "running"
    WAITING = "waiting"


@dataclass(frozen=True)
class StudyName:
    """The name of a study, its row in the database and what was noted of it.

    The title is MODEL CANDIDATE IDENTITY, in studies of earlier versions the identity alone.

    >>> name = StudyName("credit score auto 0123456789abcdef", 1)
    >>> name.model, name.candidate, name.short
    ('credit score', 'auto', '01234567')
    """

    title: str
    row: int
    notes: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def identity(self) -> str:
        """The hash of what decides the study's result."""
        return self.title.rpartition(" ")[2]

    @property
    def short(self) -> str:
        """The beginning of the identity, as it is in the names of MLflow's runs."""
        return self.identity[:8]

    @property
    def candidate(self) -> str:
        """The value of candidate=NAME."""
        return self.title.rpartition(" ")[0].rpartition(" ")[2]

    @property
    def model(self) -> str:
        """The name of the model in the registry."""
        return self.title.rpartition(" ")[0].rpartition(" ")[0]


@dataclass(frozen=True)
class StoredTrial:
    """A trial as it is stored: `values` are those of the objectives, `notes` what its evaluation left.

    `breach` is by how much it breaks its constraints, 0 where it meets them.
    """

    number: int
    state: State
    values: tuple[float | None, ...]
    parameters: Mapping[str, Any]
    notes: Mapping[str, Any]
    failure: str | None
    seconds: float | None
    breach: float = 0.0

    @property
    def rank(self) -> tuple[float, float, int]:
        """Sorts finished trials: those that meet the constraints first, by their scores, the earliest of equals."""
        return self.breach, -float(self.value or 0.0), self.number

    @property
    def value(self) -> float | None:
        """The first objective of a finished trial: the cross-validated AUC."""
        return self.values[0] if self.state is State.COMPLETE and self.values else None


def study_names(connection: Connection) -> list[StudyName]:
    """Return the names of all studies, oldest first."""
    notes: dict[int, dict[str, Any]] = defaultdict(dict)
    for study, key, value in connection.execute(select(STUDY_NOTES)):
        notes[study][key] = json.loads(value)
    rows = connection.execute(select(STUDIES).order_by(STUDIES.c.study_id))
    return [StudyName(title, row, notes[row]) for row, title in rows]


def stored_trials(connection: Connection, name: StudyName) -> list[StoredTrial]:
    """Return all trials of a study, by number."""
    mine = TRIALS.c.study_id == name.row
    values: dict[int, list[Any]] = defaultdict(list)
    query = select(VALUES).join(TRIALS, _same(VALUES)).where(mine).order_by(VALUES.c.objective)
    for trial, _, value in connection.execute(query):
        values[trial].append(value)
    parameters: dict[int, dict[str, Any]] = defaultdict(dict)
    for trial, key, value, kind in connection.execute(select(PARAMETERS).join(TRIALS, _same(PARAMETERS)).where(mine)):
        parameters[trial][key] = parameter_of(value, kind)
    notes: dict[int, dict[str, Any]] = defaultdict(dict)
    for trial, key, text in connection.execute(select(TRIAL_NOTES).join(TRIALS, _same(TRIAL_NOTES)).where(mine)):
        notes[trial][key] = json.loads(text)
    breach = breaches().subquery()
    broken = {
        row.trial_id: row.breach for row in connection.execute(select(breach).join(TRIALS, _same(breach)).where(mine))
    }
    return [
        StoredTrial(
            row.number,
            State[row.state],
            tuple(values[row.trial_id]),
            without_family(parameters[row.trial_id]),
            notes[row.trial_id].get(NOTES, {}),
            notes[row.trial_id].get(FAILURE),
            _seconds(row.datetime_start, row.datetime_complete),
            broken.get(row.trial_id, 0.0),
        )
        for row in connection.execute(select(TRIALS).where(mine).order_by(TRIALS.c.number))
    ]


def breaches() -> Select[tuple[int, float]]:
    """Return the query of the trials that break a constraint: by how much, over all constraints."""
    value = cast(TRIAL_ATTRIBUTES.c.value_json, Float)
    is_broken = (TRIAL_ATTRIBUTES.c.key.like("constraints:%"), value > 0)
    trial = TRIAL_ATTRIBUTES.c.trial_id
    return select(trial, func.sum(value).label("breach")).where(*is_broken).group_by(trial)


def _same(part: FromClause) -> ColumnElement[bool]:
    return part.c.trial_id == TRIALS.c.trial_id


def parameter_of(value: float, distribution: str) -> Any:
    """Return a parameter as it was suggested; of a choice, Optuna stores the position."""
    kind = json.loads(distribution)
    if kind["name"] == "CategoricalDistribution":
        return kind["attributes"]["choices"][int(value)]
    return int(value) if kind["name"] == "IntDistribution" else value


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds()
