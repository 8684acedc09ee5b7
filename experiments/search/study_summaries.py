"""Summarises all studies of a model in a few queries, whatever the number of their trials."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, String, cast, func, or_, select
from sqlalchemy.sql import ColumnElement

from experiments.experiment.recorded_settings import FAMILY
from experiments.search.stored_studies import (
    PARAMETERS,
    TRIAL_NOTES,
    TRIALS,
    VALUES,
    State,
    StudyName,
    breaches,
    parameter_of,
)
from experiments.search.trial_result import NOTES

SECONDS_OF_A_DAY = 86_400


@dataclass(frozen=True)
class BestTrial:
    """The finished trial of a study that ranks first; `family` is None where the study searches none."""

    number: int
    value: float
    family: str | None
    notes: Mapping[str, Any]


@dataclass
class StudySummary:
    """A study: how many of its trials are in which state, the seconds spent on them, and the best one.

    `notes` are those of the trials that were requested by number.
    """

    name: StudyName
    counts: dict[State, int] = field(default_factory=dict)
    seconds: float = 0.0
    best: BestTrial | None = None
    notes: dict[int, Mapping[str, Any]] = field(default_factory=dict)


def summaries(
    connection: Connection, names: Sequence[StudyName], wanted: Mapping[str, Collection[int]]
) -> list[StudySummary]:
    """Return the summaries of studies in their order; `wanted` are numbers of trials by a study's identity."""
    by_row = {name.row: StudySummary(name) for name in names}
    for row, state, count, seconds in connection.execute(_counts(connection, by_row)):
        by_row[row].counts[State[state]] = count
        by_row[row].seconds += float(seconds or 0.0)
    best = {row: (trial, number, value) for row, trial, number, value in connection.execute(_best(by_row))}
    requested = {row: wanted.get(one.name.identity, ()) for row, one in by_row.items()}
    by_trial = {trial: (row, number) for row, (trial, number, _) in best.items()}
    by_trial |= _trials(connection, requested)
    notes, families = _notes(connection, by_trial), _families(connection, [trial for trial, _, _ in best.values()])
    for row, (trial, number, value) in best.items():
        by_row[row].best = BestTrial(number, value, families.get(trial), notes.get(trial, {}))
    for trial, (row, number) in by_trial.items():
        by_row[row].notes[number] = notes.get(trial, {})
    return list(by_row.values())


def _counts(connection: Connection, rows: Collection[int]) -> Any:
    seconds = func.sum(_duration(connection))
    query = select(TRIALS.c.study_id, cast(TRIALS.c.state, String), func.count(), seconds)
    return query.where(TRIALS.c.study_id.in_(rows)).group_by(TRIALS.c.study_id, TRIALS.c.state)


def _duration(connection: Connection) -> ColumnElement[Any]:
    start, end = TRIALS.c.datetime_start, TRIALS.c.datetime_complete
    if connection.dialect.name == "postgresql":
        return func.extract("epoch", end - start)
    return (func.julianday(end) - func.julianday(start)) * SECONDS_OF_A_DAY


def _best(rows: Collection[int]) -> Any:
    """Return the query of each study's best trial (see `StoredTrial.rank`)."""
    broken = breaches().subquery()
    order = (func.coalesce(broken.c.breach, 0.0), VALUES.c.value.desc(), TRIALS.c.number)
    place = func.row_number().over(partition_by=TRIALS.c.study_id, order_by=order).label("place")
    is_candidate = (TRIALS.c.study_id.in_(rows), cast(TRIALS.c.state, String) == State.COMPLETE.name)
    ranked = (
        select(TRIALS.c.study_id, TRIALS.c.trial_id, TRIALS.c.number, VALUES.c.value, place)
        .join(VALUES, VALUES.c.trial_id == TRIALS.c.trial_id)
        .outerjoin(broken, broken.c.trial_id == TRIALS.c.trial_id)
        .where(*is_candidate, VALUES.c.objective == 0)
        .subquery()
    )
    columns = (ranked.c.study_id, ranked.c.trial_id, ranked.c.number, ranked.c.value)
    return select(*columns).where(ranked.c.place == 1)


def _trials(connection: Connection, requested: Mapping[int, Collection[int]]) -> dict[int, tuple[int, int]]:
    """Return study and number of trials by their rows."""
    places = [
        (TRIALS.c.study_id == row) & TRIALS.c.number.in_(numbers) for row, numbers in requested.items() if numbers
    ]
    if not places:
        return {}
    query = select(TRIALS.c.trial_id, TRIALS.c.study_id, TRIALS.c.number).where(or_(*places))
    return {trial: (row, number) for trial, row, number in connection.execute(query)}


def _notes(connection: Connection, trials: Collection[int]) -> dict[int, Mapping[str, Any]]:
    chosen = (TRIAL_NOTES.c.trial_id.in_(trials), TRIAL_NOTES.c.key == NOTES)
    rows = connection.execute(select(TRIAL_NOTES.c.trial_id, TRIAL_NOTES.c.value_json).where(*chosen))
    return {trial: json.loads(text) for trial, text in rows}


def _families(connection: Connection, trials: Collection[int]) -> dict[int, str]:
    chosen = (PARAMETERS.c.trial_id.in_(trials), PARAMETERS.c.param_name == FAMILY)
    rows = connection.execute(select(PARAMETERS).where(*chosen))
    return {trial: parameter_of(value, kind) for trial, _, value, kind in rows}
