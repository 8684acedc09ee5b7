"""What an alarm is about: a model, a window, a level, and what by name moved, broke or went wrong at which level."""

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
"""Levels that ask for something, by how much."""

SEEN_IN_MOVES_AND_FAULTS = (DATA_FAULT, MIX_SHIFT)
"""Kinds of change that say no more than which columns moved or broke."""

IN_A_SEGMENT = " in a segment"
"""Follows the name of a column that moved, but not for everyone. The segment itself may be a few people: not named."""


@dataclass(frozen=True)
class Alarm:
    """`causes` are the names of what asks for something, each with its level; they hold no value of any row."""

    key: LogKey
    window: str
    level: Level
    causes: Mapping[str, Level]

    @property
    def id(self) -> str:
        """Return what names this alarm wherever it is told: the same report gives the same alarm."""
        return fingerprint_record(self.told())[:16]

    def told(self) -> dict[str, Any]:
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
    def read(cls, told: Mapping[str, Any]) -> "Alarm":
        """Return the alarm that was told so. Raises KeyError or ValueError where it was not."""
        key = LogKey(told["model"], told["model_version"], Population(told["population"]), told["period"])
        return cls(key, told["window"], Level(told["level"]), {n: Level(one) for n, one in told["causes"].items()})

    def covers(self, other: "Alarm") -> bool:
        """Return whether another alarm on the same model and population says nothing that this one does not say."""
        same = (self.key.model, self.key.version, self.key.population) == (
            other.key.model,
            other.key.version,
            other.key.population,
        )
        known = all(RANK[level] <= self._rank(name) for name, level in other.causes.items())
        return same and known and RANK[other.level] <= RANK[self.level]

    def _rank(self, name: str) -> int:
        """Return the rank that a cause has here; a move of everyone stands for that of a segment too."""
        names = {name, name.removesuffix(IN_A_SEGMENT)}
        return max((RANK[self.causes[one]] for one in names if one in self.causes), default=0)

    def sentence(self) -> str:
        """Return the alarm in a line: level, model, window and causes."""
        about = f"{self.key.model} version {self.key.version}, {self.key.population.value} of {self.window}"
        causes = ", ".join(f"{name} ({level.value})" for name, level in self.causes.items())
        return f"{self.level.name}: {about}" + (f": {causes}" if causes else "")


def alarm_of(report: PeriodReport) -> Alarm | None:
    """Return the alarm of a report, None where its verdict asks for nothing."""
    if report.verdict not in (Verdict.WATCH, Verdict.ACT):
        return None
    return Alarm(report.key, report.window, Level(report.verdict.value), _causes(report))


def _causes(report: PeriodReport) -> dict[str, Level]:
    """Return the causes, worst first: data faults, what moved, and of what kind of change outcomes tell."""
    found: dict[str, Level] = {}
    for name, level in _named(report):
        if RANK[level] > RANK.get(found.get(name, Level.QUIET), 0):
            found[name] = level
    kept = {name: level for name, level in found.items() if not _is_said(name, level, found)}
    return dict(sorted(kept.items(), key=lambda item: (-RANK[item[1]], item[0])))


def _named(report: PeriodReport) -> Iterator[tuple[str, Level]]:
    for fault in report.faults:
        yield (f"{fault.kind}: {fault.column}" if fault.column else fault.kind), Level.ACT
    for move in report.moves:
        if move.judgement.level in RANK:
            yield move.column + ("" if move.segment == EVERYONE else IN_A_SEGMENT), move.judgement.level
    yield from ((cause, Level.ACT) for cause in report.causes if cause not in SEEN_IN_MOVES_AND_FAULTS)


def _is_said(name: str, level: Level, found: Mapping[str, Level]) -> bool:
    """Return whether a segment's move is no worse than that of everyone, which is named already."""
    everyone = found.get(name.removesuffix(IN_A_SEGMENT)) if name.endswith(IN_A_SEGMENT) else None
    return everyone is not None and RANK[level] <= RANK[everyone]
