"""An alarm: a model, a window, a level, and its causes by name with the level of each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from monitoring.thresholds.thresholds import EVERYONE, Level
from monitoring.verdict.causes import DATA_FAULT, MIX_SHIFT
from monitoring.verdict.period_report import PeriodReport, Verdict
from pipelines.credit.population import Population
from pipelines.score_log.key import LogKey
from pipelines.storage.fingerprint import fingerprint_record

RANK = {Level.WATCH: 1, Level.ACT: 2}
"""Levels that raise an alarm, by severity."""

VERDICT_RANK = {Verdict.INCONCLUSIVE: 0, Verdict.WATCH: 1, Verdict.ACT: 2}
"""Verdicts that the alarm log records, by severity."""

IMPLIED = (DATA_FAULT, MIX_SHIFT)
"""Kinds of change that add nothing to the names of the columns that moved or have faults."""

IN_A_SEGMENT = " in a segment"
"""Suffix of a column that moved in a segment only. The segment is not named, because it may be a few people."""


@dataclass(frozen=True)
class Alarm:
    """`causes` are names of columns, faults and kinds of change, each with its level; they have no values of rows.

    An inconclusive report has no causes and raises no alarm; as one it is recorded in the alarm log.
    """

    key: LogKey
    window: str
    level: Verdict
    causes: Mapping[str, Level]

    @property
    def id(self) -> str:
        """The id of this alarm: the same report gives the same id."""
        return fingerprint_record(self.record())[:16]

    def record(self) -> dict[str, Any]:
        """Return the alarm as JSON values."""
        return {
            "model": self.key.model,
            "model_version": self.key.version,
            "population": self.key.population.value,
            "period": self.key.period,
            "window": self.window,
            "level": self.level.value,
            "causes": {name: level.value for name, level in sorted(self.causes.items())},
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Alarm":
        """Return the alarm of a record. Raises KeyError or ValueError for an invalid one."""
        key = LogKey(record["model"], record["model_version"], Population(record["population"]), record["period"])
        causes = {name: Level(level) for name, level in record["causes"].items()}
        return cls(key, record["window"], Verdict(record["level"]), causes)

    def covers(self, other: "Alarm") -> bool:
        """Return whether another alarm on the same model and population has no cause or level beyond this one."""
        same = (self.key.model, self.key.version, self.key.population) == (
            other.key.model,
            other.key.version,
            other.key.population,
        )
        no_worse = all(RANK[level] <= self._rank(name) for name, level in other.causes.items())
        return same and no_worse and VERDICT_RANK[other.level] <= VERDICT_RANK[self.level]

    def _rank(self, name: str) -> int:
        """Return the rank of a cause in this alarm; a move of all decisions includes that of a segment."""
        names = {name, name.removesuffix(IN_A_SEGMENT)}
        return max((RANK[self.causes[one]] for one in names if one in self.causes), default=0)

    def sentence(self) -> str:
        """Return the alarm in a line: level, model, window and causes."""
        subject = f"{self.key.model} version {self.key.version}, {self.key.population.value} of {self.window}"
        causes = ", ".join(f"{name} ({level.value})" for name, level in self.causes.items())
        return f"{self.level.name}: {subject}" + (f": {causes}" if causes else "")

    def by_level(self) -> dict[Level, list[str]]:
        """Return the names of the causes by their level, the worst first."""
        levels = sorted(set(self.causes.values()), key=lambda level: -RANK[level])
        return {level: [name for name, of in self.causes.items() if of is level] for level in levels}


def alarm_of(report: PeriodReport) -> Alarm | None:
    """Return the alarm of a report, None for a verdict that is not recorded: stable and incomplete."""
    if report.verdict not in VERDICT_RANK:
        return None
    causes = {} if report.verdict is Verdict.INCONCLUSIVE else _causes(report)
    return Alarm(report.key, report.window, report.verdict, causes)


def _causes(report: PeriodReport) -> dict[str, Level]:
    """Return the causes, worst first: data faults, columns that moved, and kinds of change shown by outcomes."""
    causes: dict[str, Level] = {}
    for name, level in _named(report):
        if RANK[level] > RANK.get(causes.get(name, Level.QUIET), 0):
            causes[name] = level
    distinct = {name: level for name, level in causes.items() if not _is_included(name, level, causes)}
    return dict(sorted(distinct.items(), key=lambda item: (-RANK[item[1]], item[0])))


def _named(report: PeriodReport) -> Iterator[tuple[str, Level]]:
    for fault in report.faults:
        yield (f"{fault.kind}: {fault.column}" if fault.column else fault.kind), Level.ACT
    for move in report.moves:
        if move.judgement.level in RANK:
            yield move.column + ("" if move.segment == EVERYONE else IN_A_SEGMENT), move.judgement.level
    yield from ((f"{change.cause}: {change.column}", change.level) for change in report.share_changes)
    implied = {*IMPLIED, *(change.cause for change in report.share_changes)}
    yield from ((cause, Level.ACT) for cause in report.causes if cause not in implied)


def _is_included(name: str, level: Level, causes: Mapping[str, Level]) -> bool:
    """Whether a move in a segment is no worse than the move of all decisions, which is a cause too."""
    overall = causes.get(name.removesuffix(IN_A_SEGMENT)) if name.endswith(IN_A_SEGMENT) else None
    return overall is not None and RANK[level] <= RANK[overall]
