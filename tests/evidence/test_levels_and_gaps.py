"""Levels and segments that come and go are named, and gaps that people explain are no fault, at both volumes."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from monitoring.faults.observed import Observed
from monitoring.faults.search import find_faults
from monitoring.measures.changed_levels import changed_levels
from monitoring.measures.moves import compare
from monitoring.thresholds.settings import ThresholdSettings
from monitoring.thresholds.thresholds import Level
from monitoring.windows.references import Reference
from pipelines.credit.population import Population
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.reference_profile import SCORE
from pipelines.profiles.window_profile import WindowProfile, name_of_bins
from tests.evidence.conftest import Evidence

VOLUMES = (2_500, 10_000)
MONTHS, VARIES = 12, 0.1
"""Shares vary from month to month by so much in log-odds beyond chance."""

METHODS, METHOD_SHARES = ["card", "wallet", "transfer", "cash"], [0.5, 0.3, 0.12, 0.08]
BRANCHES, BRANCH_SHARES = ["web", "app", "shop", "kiosk"], [0.42, 0.3, 0.2, 0.08]
NUMERIC = ["days_here", "orders_30d", "mean_order_30d", "days_since_last_order"]


@dataclass(frozen=True)
class People:
    """Who applies in a month: the share of newcomers, who have no last order, and of those who lapsed."""

    newcomers: float = 0.08
    lapsed: float = 0.1

    def draw(self, generator: np.random.Generator, rows: int) -> pd.DataFrame:
        is_new = generator.random(rows) < _varied(generator, self.newcomers)
        has_lapsed = ~is_new & (generator.random(rows) < _varied(generator, self.lapsed))
        orders = np.where(is_new | has_lapsed, 0, 1 + generator.poisson(2.0, rows)).astype(float)
        last = np.where(has_lapsed, generator.uniform(30, 900, rows), generator.uniform(0, 30, rows))
        return pd.DataFrame(
            {
                "days_here": np.where(is_new, generator.uniform(0, 30, rows), generator.gamma(2, 300, rows) + 30),
                "orders_30d": orders,
                "mean_order_30d": np.where(orders > 0, generator.lognormal(4, 1, rows), np.nan),
                "days_since_last_order": np.where(is_new, np.nan, last),
                "method": _choice(generator, METHODS, METHOD_SHARES, rows),
                "branch": _choice(generator, BRANCHES, BRANCH_SHARES, rows),
                "city": np.array([f"c{one}" for one in generator.zipf(1.6, rows)], dtype=object),
            }
        )


def _varied(generator: np.random.Generator, share: float) -> float:
    odds = share / (1 - share) * np.exp(VARIES * generator.standard_normal())
    return float(odds / (1 + odds))


def _choice(generator: np.random.Generator, names: list[str], shares: list[float], rows: int) -> np.ndarray:
    varied = np.array(shares) * np.exp(VARIES * generator.standard_normal(len(shares)))
    return np.array(generator.choice(names, rows, p=varied / varied.sum()), dtype=object)


def _thinned(rows: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    return rows[(rows["branch"] != "kiosk") | (generator.random(len(rows)) < 0.1)].reset_index(drop=True)


def _with(rows: pd.DataFrame, column: str, is_hit: np.ndarray, value: object) -> pd.DataFrame:
    return rows.assign(**{column: rows[column].mask(is_hit, value)})


def scenarios(generator: np.random.Generator, rows: int) -> dict[str, tuple[pd.DataFrame, str]]:
    """Return months with what is named of each, "" for neither a level, a segment nor a fault."""
    month = People().draw(generator, rows)
    new_cities = np.array([f"n{one}" for one in range(rows)], dtype=object)
    is_flood = generator.random(rows) < 0.3
    return {
        "quiet": (month, ""),
        "segment of 8% loses 90%": (_thinned(month, generator), "segment vanished: branch"),
        "new level at 5%": (_with(month, "method", generator.random(rows) < 0.05, "instant"), "level appeared: method"),
        "newcomers 8% to 30%": (People(newcomers=0.3).draw(generator, rows), ""),
        "lapsed 10% to 35%": (People(lapsed=0.35).draw(generator, rows), ""),
        "last orders lost in 40%": (
            _with(month, "days_since_last_order", generator.random(rows) < 0.4, np.nan),
            "missing values risen: days_since_last_order",
        ),
        "new cities in 30%": (month.assign(city=np.where(is_flood, new_cities, month["city"])), "moved: city"),
    }


@dataclass(frozen=True)
class World:
    """A reference of twelve months, with the branches as segments."""

    generator: np.random.Generator
    reference: Reference

    @classmethod
    def draw(cls, seed: int, rows: int) -> "World":
        generator = np.random.default_rng([187, seed, rows])
        tables = [People().draw(generator, rows) for _ in range(MONTHS)]
        pooled = pd.concat(tables, ignore_index=True)
        months = np.arange("2025-01", "2026-01", dtype="datetime64[M]").astype("datetime64[D]")
        points = generator.integers(400, 700, len(pooled))
        features = pooled.drop(columns="branch")
        profile = profile_of(points, points / 1000, features, NUMERIC, Population.applications, np.repeat(months, rows))
        periods = list(profile.by_period)
        segments = {
            f"branch={name}": {
                period: Tally(int((table["branch"] == name).sum()))
                for period, table in zip(periods, tables, strict=True)
            }
            for name in BRANCHES
        }
        return cls(generator, Reference("a year", profile, profile.by_period, segments, is_development=True))

    def named(self, rows: pd.DataFrame) -> set[str]:
        """Return the levels, segments and faults that are named of a month, and whether its cities moved."""
        profile = self.reference.profile
        counts = {one.column: one.count(rows[one.column].to_numpy()) for one in profile.bins if one.column != SCORE}
        counts[SCORE] = profile.bins[0].count(self.generator.integers(400, 700, len(rows)).astype(float))
        segments = {f"branch={name}": Tally(int(number)) for name, number in rows["branch"].value_counts().items()}
        window = WindowProfile(name_of_bins(profile), Tally(len(rows), counts), segments)
        sample = rows[:5000]
        months = {name: np.array([one.columns[name] for one in profile.by_period.values()]) for name in counts}
        faults = find_faults(profile, Observed("2026-01", len(rows), counts), sample, months=months)
        without_segments = replace(self.reference, segments={})
        moves = compare(without_segments, replace(window, segments={}), None, ThresholdSettings(), "2026-01")
        return {
            *(f"{one.cause}: {one.column}" for one in changed_levels(self.reference, window, sample)),
            *(f"{one.kind}: {one.column}" for one in faults),
            *(
                f"moved: {one.column}"
                for one in moves
                if one.column == "city" and one.judgement.level in (Level.WATCH, Level.ACT)
            ),
        }


def test_levels_and_segments_are_named_and_gaps_of_people_are_no_fault(
    evidence: Evidence, not_significantly_above: Callable[[int, int, float], bool]
) -> None:
    worlds = evidence.size(full=100, reduced=2)
    wrong: Counter[str] = Counter()
    for rows in VOLUMES if evidence.full else VOLUMES[:1]:
        for seed in range(worlds):
            world = World.draw(seed, rows)
            for name, (month, expected) in scenarios(world.generator, rows).items():
                named = world.named(month) - ({"level appeared: city"} if expected == "moved: city" else set())
                wrong[f"{name}, {rows:,} a month"] += named != ({expected} - {""})
    holds = all(not_significantly_above(number, worlds, 0.05) for number in wrong.values())
    evidence.record(
        "54-levels-and-gaps",
        claim=f"simulated months of {VOLUMES[0]:,} and {VOLUMES[1]:,} applications against twelve months whose shares "
        f"vary by {VARIES:.0%} beyond chance, {worlds} worlds each: a segment of 8% that loses 90%, a new level at 5%, "
        "and lost values are named, nothing else is; more newcomers without a last order, more people who lapsed, and "
        "a column of hundreds of rare cities are no fault and no new level, a flood of new cities is a move. Months in "
        "which anything else is named, or the change is not",
        value="; ".join(f"{name}: {number}" for name, number in wrong.items()),
        bound="not significantly above 5% each",
        holds=holds,
    )
    assert holds, wrong
