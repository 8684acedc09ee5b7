"""The report as JSON: every figure of the page, and the counts behind the moves."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from monitoring.measures.move import Move
from monitoring.report.ordering import by_effect
from monitoring.verdict.period_report import PeriodReport

Facts = dict[str, Any]


def facts_of(report: PeriodReport) -> Facts:
    """Return the facts as JSON takes them; a number that is none is null."""
    about: Facts = _plain(report)
    return about | {"moves": [_move(one) for one in by_effect(report.moves)]}


def _move(move: Move) -> Facts:
    judgement: Facts = _plain(move.judgement)
    del judgement["cell"]
    counts: Facts = {"labels": list(move.labels), "reference": list(move.reference), "current": list(move.current)}
    about: Facts = {"column": move.column, "segment": move.segment, "role": move.role, "since": move.since}
    about |= {"distances": _plain(move.distances)}
    return about | judgement | counts


def _plain(value: Any) -> Any:
    if isinstance(value, PeriodReport):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value) if one.name != "moves"}
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
