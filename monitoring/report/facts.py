"""The report as JSON: every figure of the page, and the counts behind the moves."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from monitoring.measures.move import Move
from monitoring.measures.score_comparison import ScoreComparison
from monitoring.report.ordering import by_effect
from monitoring.verdict.period_report import PeriodReport

Facts = dict[str, Any]

KEYS = {"decision_mix": "conduct"}
"""Keys of report.json that differ from the names of the report's fields."""


def facts_of(report: PeriodReport) -> Facts:
    """Return the report as values of JSON; a figure that is not a finite number is null."""
    facts: Facts = {KEYS.get(one.name, one.name): _plain(getattr(report, one.name)) for one in fields(report)}
    return facts | {"score": _score(report.score), "moves": [_move(one) for one in by_effect(report.moves)]}


def _move(move: Move) -> Facts:
    judgement: Facts = _plain(move.judgement)
    del judgement["cell"]
    counts: Facts = {"labels": list(move.labels), "reference": list(move.reference), "current": list(move.current)}
    facts: Facts = {"column": move.column, "segment": move.segment, "role": move.role, "since": move.since}
    return facts | {"distances": _plain(move.measures)} | judgement | counts


def _score(score: ScoreComparison | None) -> Facts | None:
    if score is None:
        return None
    facts: Facts = _plain(score)
    measures: Facts = facts.pop("measures")
    return facts | measures


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
