"""Tables of what was measured: the mean test AUC of each search and how Thinfile's differs, by table and seconds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from tests.benchmarks.opponents.measured import Measured
from tests.benchmarks.opponents.plan import Series
from tests.benchmarks.opponents.systems import OURS
from tests.benchmarks.opponents.t_test import Comparison, corrected_t_test

LEVEL = 0.01
"""Of the test."""


@dataclass(frozen=True)
class Line:
    """One search on one table: the means over the seeds at which it and Thinfile were measured.

    `comparison` is that of Thinfile's AUC minus its own, None for Thinfile itself.
    """

    data: str
    title: str
    seconds: int
    system: str
    seeds: tuple[int, ...]
    auc: float
    wall: float
    comparison: Comparison | None


def lines_of(series: Series, measured: Iterable[Measured], ours: str) -> list[Line]:
    """Return the lines of one series, `ours` first and then the opponents."""
    found = {(one.system, one.seed): one for one in measured
             if one.data == series.data.name and one.seconds == series.seconds and one.auc is not None}  # fmt: skip
    opponents = [system.name for system in series.systems if system.name not in OURS]
    return [
        _line(series, name, found, ours)
        for name in (ours, *opponents)
        if any((name, seed) in found and (ours, seed) in found for seed in series.seeds)
    ]


def _line(series: Series, name: str, found: dict[tuple[str, int], Measured], ours: str) -> Line:
    seeds = tuple(seed for seed in series.seeds if (name, seed) in found and (ours, seed) in found)
    theirs, own = ([found[one, seed] for seed in seeds] for one in (name, ours))
    assert [one.part for one in theirs] == [one.part for one in own], f"{name} was tested on other rows"
    differences = [(a.auc or 0) - (b.auc or 0) for a, b in zip(own, theirs, strict=True)]
    shared = fmean(one.shared for one in own) if series.data.is_resampled else 0.0
    comparison = None if name == ours else corrected_t_test(differences, shared)
    auc, wall = fmean(one.auc or 0 for one in theirs), fmean(one.wall for one in theirs)
    return Line(series.data.name, series.data.title, series.seconds, name, seeds, auc, wall, comparison)


def table_of(lines: Sequence[Line]) -> str:
    """Return lines as a Markdown table."""
    rows = ["| data | time | search | test AUC | ours minus its | 95% interval | p (ours below) | wall s |",
            "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for line in lines:
        what = f"{line.title} ({len(line.seeds)}) | {line.seconds} s | {line.system}"
        rows.append(f"| {what} | {line.auc:.4f} | {_differs(line)} | {line.wall:.0f} |")
    return "\n".join(rows) + "\n"


def _differs(line: Line) -> str:
    one = line.comparison
    if one is None:
        return " | | "
    interval = f"{one.low:+.4f} to {one.high:+.4f}" if len(line.seeds) > 1 else ""
    return f"{one.mean:+.4f} | {interval} | {'' if one.below != one.below else f'{one.below:.3f}'}"


def sentence(lines: Sequence[Line]) -> str:
    """Return the figures of one series in a line of text."""
    return ", ".join(
        f"{line.system} {line.auc:.4f}" + ("" if line.comparison is None else f" (p {line.comparison.below:.3f})")
        for line in lines
    )


def is_nowhere_below(lines: Sequence[Line]) -> bool:
    """Return whether Thinfile is not significantly below any opponent."""
    return all(line.comparison is None or not line.comparison.below < LEVEL for line in lines)


def overall(lines: Sequence[Line]) -> dict[str, float]:
    """Return the mean over the tables of each search's mean AUC."""
    names = dict.fromkeys(line.system for line in lines)
    return {name: fmean(line.auc for line in lines if line.system == name) for name in names}
