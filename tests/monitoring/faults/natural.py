"""Months in which people change and data do not: seasons, new kinds of customers, growth, categories that come up."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from monitoring.faults.duplicates import repeated_share
from monitoring.faults.observed import Observed
from pipelines.credit.population import Population
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.reference_profile import ReferenceProfile

MONTHS, AFTER = 12, 4
LEVELS = 6
NUMERIC = 8


@dataclass(frozen=True)
class World:
    """A reference of 12 months, their counts, and the windows after it with their features, oldest first."""

    reference: ReferenceProfile
    months: dict[str, np.ndarray]
    windows: list[Observed]
    features: list[pd.DataFrame]


def draw_world(seed: int, rows: int, shift: float) -> World:
    """Return months of about so many rows; after the reference each column moved by up to `shift` standard deviations.

    A third of customers have no history: they lack half of the columns. Their share has seasons, and rises by up to
    `shift` in log odds after the reference.
    """
    generator = np.random.default_rng(seed)
    people = _People(generator, shift)
    tables = [people.month(month, int(rows * generator.uniform(0.7, 1.4))) for month in range(MONTHS + AFTER)]
    numeric = [name for name in tables[0] if name.startswith("number")]
    pooled = pd.concat(tables[:MONTHS], ignore_index=True)
    points = generator.integers(350, 950, len(pooled))
    reference = profile_of(points, points / 1000, pooled, numeric, Population.applications)
    windows = [window_of(reference, table, f"2026-{place + 1:02}") for place, table in enumerate(tables[MONTHS:])]
    counts = [window_of(reference, table, "").counts for table in tables[:MONTHS]]
    months = {name: np.stack([one[name] for one in counts]) for name in counts[0]}
    return World(reference, months, windows, tables[MONTHS:])


class _People:
    """What each column is like, and which way it goes."""

    def __init__(self, generator: np.random.Generator, shift: float) -> None:
        self.generator = generator
        self.shift = shift
        self.spread = generator.uniform(0.3, 1.6, NUMERIC)
        self.toward = generator.uniform(-shift, shift, NUMERIC)
        self.levels = np.log(generator.dirichlet(np.full(LEVELS, 2.0)) + 0.01)
        self.trend = generator.uniform(-shift, shift, LEVELS)

    def month(self, month: int, rows: int) -> pd.DataFrame:
        """Return the features of a month."""
        generator, after = self.generator, month >= MONTHS
        season = 0.2 * np.cos(2 * np.pi * month / 12) + 0.05 * generator.standard_normal()
        thin = -0.7 + season + after * self.shift
        is_thin = generator.random(rows) < 1 / (1 + np.exp(-thin))
        table = {}
        for place in range(NUMERIC):
            normal = generator.standard_normal(rows) + season + after * self.toward[place] - 0.3 * is_thin
            values = np.exp(3 + self.spread[place] * normal)
            values = np.floor(values / 10) if place in (2, 5) else values  # few values, many of them zero
            table[f"number {place}"] = np.where(is_thin & (place >= NUMERIC // 2), np.nan, values)
        log_odds = self.levels + season * self.trend + after * self.trend
        share = np.exp(log_odds) / np.exp(log_odds).sum()
        names = np.array([f"level {place}" for place in range(LEVELS)], dtype=object)
        table["level"] = generator.choice(names, rows, p=share)
        table["flag"] = np.where(generator.random(rows) < 0.02 * np.exp(season), "yes", "no").astype(object)
        table["phone"] = self._phones(month, rows)
        return pd.DataFrame(table)

    def _phones(self, month: int, rows: int) -> np.ndarray:
        """Return models, of which one comes up every fourth month and the older ones go."""
        newest = month / 4
        age = self.generator.exponential(2.0, rows)
        return np.array([f"phone {int(np.floor(newest - one))}" for one in age], dtype=object)


def window_of(reference: ReferenceProfile, table: pd.DataFrame, period: str) -> Observed:
    """Return a table of features as a window of that period."""
    counts = {one.column: one.count(table[one.column].to_numpy()) for one in reference.bins if one.column in table}
    points = np.random.default_rng(len(table)).integers(350, 950, len(table)).astype(float)
    counts[reference.bins[0].column] = reference.bins[0].count(points)
    return Observed(period, len(table), counts, None, repeated_share(table[:2000], len(table)))
