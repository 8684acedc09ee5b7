"""Faults planted into a simulated month in which people change as well."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from monitoring.faults.column_gone import COLUMN_GONE
from monitoring.faults.constant_column import CONSTANT
from monitoring.faults.duplicates import DUPLICATES
from monitoring.faults.fallen_volume import VOLUME_FALLEN
from monitoring.faults.fault import Fault
from monitoring.faults.missing_risen import MISSING_RISEN
from monitoring.faults.observed import Intake, Observed
from monitoring.faults.outside_reference import OUTSIDE_REFERENCE
from monitoring.faults.quarantine import QUARANTINE_RISEN
from monitoring.faults.renamed_category import LEVEL_RENAMED
from monitoring.faults.search import find_faults
from monitoring.faults.stale_data import STALE
from monitoring.faults.unit_changed import KNOWN, UNIT_CHANGED
from tests.monitoring.faults.natural import NUMERIC, World, window_of

Planted = tuple[Observed, pd.DataFrame, str | None]
"""The window with the fault, its features, and the column that is hit."""


def planted(kind: str, world: World, generator: np.random.Generator) -> Planted:
    """Return the last window of a world with a fault of that kind."""
    window, features = world.windows[-1], world.features[-1].copy()
    if kind in IN_A_COLUMN:
        name = "level" if kind == LEVEL_RENAMED else f"number {generator.integers(NUMERIC)}"
        features[name] = IN_A_COLUMN[kind](features[name], generator)
        return window_of(world.reference, features, window.period), features, name
    if kind == QUARANTINE_RISEN:
        intake = Intake(window.rows, {"amount < 0": int(0.1 * window.rows)})
        return replace(window, intake=intake), features, None
    features = IN_ROWS[kind](features, world)
    found = window_of(world.reference, features, window.period)
    return (replace(found, counts=world.windows[-2].counts) if kind == STALE else found), features, None


def named(kind: str, world: World, generator: np.random.Generator, *, sample: bool) -> tuple[bool, list[Fault]]:
    """Return whether the fault is found with its column, and whatever else is called a fault."""
    window, features, column = planted(kind, world, generator)
    shown = features[:5000] if sample else pd.DataFrame()
    found = find_faults(world.reference, window, shown, world.windows[:-1], months=world.months)
    is_it = [one.kind is kind and one.column == column for one in found]
    return any(is_it), [one for one, hit in zip(found, is_it, strict=True) if not hit]


def _renamed(values: pd.Series, generator: np.random.Generator) -> pd.Series:
    return values.replace({values.mode().iloc[0]: "a new name"})


def _in_another_unit(values: pd.Series, generator: np.random.Generator) -> pd.Series:
    factor = generator.choice([one.factor for one in KNOWN if one.factor >= 60])
    return values * factor ** generator.choice([-1, 1])


def _with_a_code(values: pd.Series, generator: np.random.Generator) -> pd.Series:
    code = generator.choice([-999.0, -1.0, 1e8, np.inf])
    return values.mask(generator.random(len(values)) < 0.1, code)


def _with_repeats(features: pd.DataFrame) -> pd.DataFrame:
    repeated = pd.concat([features, features.sample(frac=0.3, random_state=0)])
    return repeated.sample(frac=1.0, random_state=1, ignore_index=True)


IN_A_COLUMN: dict[str, Callable[[pd.Series, np.random.Generator], pd.Series]] = {
    COLUMN_GONE: lambda values, _: values * np.nan,
    MISSING_RISEN: lambda values, generator: values.mask(generator.random(len(values)) < 0.8),
    UNIT_CHANGED: _in_another_unit,
    LEVEL_RENAMED: _renamed,
    OUTSIDE_REFERENCE: _with_a_code,
    CONSTANT: lambda values, _: values.mask(values.notna(), values.median()),
}

IN_ROWS: dict[str, Callable[[pd.DataFrame, World], pd.DataFrame]] = {
    DUPLICATES: lambda features, _: _with_repeats(features),
    VOLUME_FALLEN: lambda features, _: features.sample(frac=0.1, random_state=0),
    STALE: lambda _, world: world.features[-2],
}
