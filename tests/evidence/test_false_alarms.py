"""Months without drift ring as rarely as the levels say, whatever their size; moves are found all the same."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from monitoring.thresholds.settings import ThresholdSettings
from monitoring.thresholds.thresholds import Cell, Level
from tests.evidence.conftest import FOLDER, Evidence
from tests.evidence.simulated_months import Season, World, draw_world

SMALLEST, LARGEST = 200, 100_000
MOVED = 8
"""Columns of 41 that a mix shift moves."""

SHIFTS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
SIZES = (200, 1000, 3000, 10_000, 100_000)
HARD = Season(year=0.2, month=0.2, december=0.6, shares=0.005, own=0.005)
MIX_SHIFT, MONTHLY = 0.2, 10_000

QUIET = "not significantly above 1% and 5%"

Check = Callable[[int, int, float], bool]


def test_months_without_drift_are_quiet(evidence: Evidence, not_significantly_above: Check) -> None:
    rounds = evidence.size(full=1000, reduced=30)
    acted, watched = _rings(range(rounds), Season())
    holds = not_significantly_above(acted, rounds, 0.01) and not_significantly_above(watched, rounds, 0.05)
    evidence.record(
        "51-false-alarms",
        claim="1,000 simulated months without drift, 200 to 100,000 applications, 41 columns in 8 segments and for "
        "everyone, with seasons and 12 reference months: months with any alarm at `act`, and at `watch` or above",
        value=f"{acted / rounds:.1%} and {watched / rounds:.1%}",
        bound=QUIET,
        holds=holds,
    )
    assert holds


def test_months_of_hard_seasons_are_quiet_too(evidence: Evidence, not_significantly_above: Check) -> None:
    rounds = evidence.size(full=300, reduced=10)
    acted, watched = _rings(range(10_000, 10_000 + rounds), HARD)
    holds = not_significantly_above(acted, rounds, 0.01) and not_significantly_above(watched, rounds, 0.05)
    evidence.record(
        "51-hard-seasons",
        claim="300 such months whose yearly cycle and December reach twice as far, campaigns four times, and shares "
        "vary five times as much: months with any alarm at `act`, and at `watch` or above",
        value=f"{acted / rounds:.1%} and {watched / rounds:.1%}",
        bound=QUIET,
        holds=holds,
    )
    assert holds


def test_a_mix_shift_is_found_within_two_periods(evidence: Evidence, not_significantly_above: Check) -> None:
    rounds = evidence.size(full=200, reduced=12)
    acted = np.array([_found(MONTHLY, MIX_SHIFT, seed) for seed in range(rounds)])
    missed = int((~acted.any(axis=1)).sum())
    holds = not_significantly_above(missed, rounds, 0.05)
    if evidence.full:
        _draw(evidence.size(full=25, reduced=1), FOLDER / "52-power.svg")
    evidence.record(
        "52-power",
        claim=f"a mix shift that moves {MOVED} of 41 columns by a PSI of {MIX_SHIFT} at {MONTHLY:,} applications a "
        "month, with seasons and 12 reference months, is acted on within 2 periods (figure: 52-power.svg)",
        value=f"{1 - missed / rounds:.1%} of {rounds} shifts; {acted.mean():.0%} of the columns that moved named",
        bound="not significantly below 95%",
        holds=holds,
    )
    assert holds


def test_the_figure_of_the_power_is_drawn(tmp_path: Path) -> None:
    _draw(1, tmp_path / "power.svg", sizes=(1000,), shifts=(0.1, 0.5))
    assert "applications a month" in (tmp_path / "power.svg").read_text()


def _rings(seeds: range, season: Season) -> tuple[int, int]:
    """Return how many months are acted on, and how many are watched anywhere."""
    watched, acted = np.array([_rang(seed, season) for seed in seeds]).sum(axis=0)
    return int(acted), int(watched)


def _rang(seed: int, season: Season) -> tuple[bool, bool]:
    """Return whether the second month after the reference is watched anywhere, and whether it is acted on."""
    generator = np.random.default_rng(seed)
    rows = int(np.exp(generator.uniform(np.log(SMALLEST), np.log(LARGEST))))
    found = set(draw_world(generator, rows, season).levels(ThresholdSettings())[1].values())
    return bool(found & {Level.WATCH, Level.ACT}), Level.ACT in found


def _found(rows: int, psi: float, seed: int) -> np.ndarray:
    """Return which of the moved columns are acted on within two periods, for everyone."""
    world: World = draw_world(np.random.default_rng([1, seed]), rows, Season(), moved=MOVED, psi=psi)
    levels = world.levels(ThresholdSettings())
    cells = [Cell(f"column {number}") for number in range(MOVED)]
    return np.array([any(month[cell] is Level.ACT for month in levels) for cell in cells])


def _draw(rounds: int, path: Path, sizes: tuple[int, ...] = SIZES, shifts: tuple[float, ...] = SHIFTS) -> None:
    """Draw the share of moved columns that are acted on within two periods, by the move's size and the applications."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    for rows in sizes:
        power = [np.mean([_found(rows, psi, seed) for seed in range(rounds)]) for psi in shifts]
        axes.plot(shifts, power, marker="o", label=f"{rows:,}")
    axes.set(xlabel="move of the column (PSI)", ylabel="acted on within 2 periods", ylim=(-0.03, 1.03))
    axes.grid(alpha=0.3)
    axes.legend(title="applications a month", frameon=False)
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "52"}):
        figure.savefig(path, metadata={"Date": None})
