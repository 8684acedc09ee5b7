"""A data fault, and the finder of one kind of fault."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Flag, auto

from monitoring.faults.column import Column
from monitoring.faults.limits import FaultLimits
from monitoring.faults.observed import Observed


@dataclass(frozen=True)
class Fault:
    """A data fault: what happened, with its figures (`seen`), its likely cause and what to do, each in sentences.

    `kind` is the kind of a registered finder; `column` is None for a fault of rows.
    """

    kind: str
    column: str | None
    seen: str
    cause: str
    remedy: str


class Subject(Flag):
    """What a fault of a column is about. Of a column only the first fault of each subject is reported."""

    VALUES = auto()
    MISSING = auto()
    ROWS = 0


@dataclass(frozen=True)
class Search:
    """What finders search: the columns of the window, the window itself and the windows before it, oldest first."""

    columns: Sequence[Column]
    window: Observed
    earlier: Sequence[Observed]
    limits: FaultLimits


@dataclass(frozen=True)
class Finding:
    """A fault and the names of the columns that it explains, none for a fault of rows."""

    fault: Fault
    columns: tuple[str, ...] = ()


LAST = 100


@dataclass(frozen=True)
class Finder:
    """Finds one kind of fault. A module constant of this type in `monitoring.faults` is run by `find_faults`.

    Args:
        kind: the name in report.json, in alarms and on the page.
        find: yields the findings of a search.
        subject: what the faults are about; a fault of both values and missing values hides all others of its columns.
        rank: finders run in ascending rank, and the first finding about a subject of a column wins.
    """

    kind: str
    find: Callable[[Search], Iterable[Finding]]
    subject: Subject = Subject.ROWS
    rank: int = LAST


def column_finder(
    kind: str,
    find: Callable[[Column, FaultLimits], Fault | None],
    subject: Subject = Subject.VALUES,
    rank: int = LAST,
    *,
    in_small_windows: bool = False,
) -> Finder:
    """Return a finder that searches each column by itself, by default in windows of `limits.rows` rows or more."""

    def findings(search: Search) -> Iterator[Finding]:
        for column in search.columns:
            if in_small_windows or column.current.sum() >= search.limits.rows:
                fault = find(column, search.limits)
                if fault is not None:
                    yield Finding(fault, (column.name,))

    return Finder(kind, findings, subject, rank)


def window_finder(
    kind: str, find: Callable[[Observed, Sequence[Observed], FaultLimits], Iterable[Fault]], rank: int = LAST
) -> Finder:
    """Return a finder that compares the window as a whole with the windows before it."""

    def findings(search: Search) -> Iterator[Finding]:
        yield from map(Finding, find(search.window, search.earlier, search.limits))

    return Finder(kind, findings, Subject.ROWS, rank)
