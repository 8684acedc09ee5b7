"""A window and its reference that were scored elsewhere: tables, or profiles of them that were kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from monitoring.windows.references import Reference
from monitoring.windows.windows import joined
from pipelines.credit.population import Population
from pipelines.errors import DataError, RequestError
from pipelines.profiles.engines import Engine
from pipelines.profiles.passes import open_table
from pipelines.profiles.reference_profile import ANY_TIME, ReferenceProfile
from pipelines.profiles.roles import TableRoles
from pipelines.profiles.table_profile import TableProfile, profile_reference, profile_window
from pipelines.profiles.window_profile import WindowProfile, name_of_bins

KEPT = ".json"
"""How the name of a profile that was kept ends."""


@dataclass(frozen=True)
class Elsewhere:
    """All that a report needs of tables that were scored elsewhere.

    `reference_profile` and `window_profile` are to be kept beside the report: the next one need not read the tables.
    The samples hold features alone; those of a profile that was kept are empty. `notes` are sentences.
    """

    reference: Reference
    window: WindowProfile
    reference_profile: TableProfile
    window_profile: TableProfile
    reference_sample: pd.DataFrame
    window_sample: pd.DataFrame
    notes: tuple[str, ...]


def open_elsewhere(
    window: Path, reference: Path, roles: TableRoles, population: Population, engine: Engine, *, most_sampled: int
) -> Elsewhere:
    """Return a window and its reference, each a Parquet file, a folder of them, or a profile that was kept (.json).

    The months of a reference are those that its folders or files are named by (`period=2026-10`).

    Raises:
        DataError: there is no table, a column is missing or of the wrong kind, or a file is no profile.
        RequestError: the window's profile was counted in other bins than the reference's, or for another population.
    """
    if reference.suffix == KEPT:
        before = read_profile(reference)
    else:
        before = profile_reference(engine, open_table(reference), roles, population, most_sampled=most_sampled)
    if window.suffix == KEPT:
        now = read_profile(window)
    else:
        now = profile_window(engine, open_table(window), before.reference, roles, most_sampled=most_sampled)
    _check(before, now, population)
    return Elsewhere(
        reference=_reference(before),
        window=now.total,
        reference_profile=before,
        window_profile=now,
        reference_sample=_features(before.sample, before.reference, roles),
        window_sample=_features(now.sample, before.reference, roles),
        notes=tuple(_notes(before, now)),
    )


def read_profile(path: Path) -> TableProfile:
    """Return a profile that was kept.

    Raises:
        DataError: there is none, or it cannot be read.
    """
    try:
        return TableProfile.from_json(path.read_text())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"a profile is what `thinfile watch` keeps beside a report, '{path}' cannot be read as one ({error}); "
            "name such a file, or the table itself"
        ) from error


def _reference(profile: TableProfile) -> Reference:
    overall = {period: one.overall for period, one in profile.periods.items()}
    names = sorted({name for one in profile.periods.values() for name in one.segments})
    segments = {
        name: {period: one.segments[name] for period, one in profile.periods.items() if name in one.segments}
        for name in names
    }
    told = "" if set(overall) == {ANY_TIME} else f", {joined(sorted(overall))}"
    held = profile.reference
    name = f"{held.rows:,} {held.population.value} of {profile.name}{told}"
    return Reference(name, held, overall, segments, is_development=False)


def _check(before: TableProfile, now: TableProfile, population: Population) -> None:
    if before.reference.population is not population:
        raise RequestError(
            f"a window is compared with a reference of its own population, received '{population.value}' against "
            f"'{before.reference.population.value}'; watch population={before.reference.population.value}"
        )
    if now.total.bins != name_of_bins(before.reference):
        raise RequestError(
            "a window is compared in the bins of its reference, this profile was counted in others; name the table of "
            "the window instead of its profile, or the reference that it was counted for"
        )


def _features(sample: pa.Table | None, reference: ReferenceProfile, roles: TableRoles) -> pd.DataFrame:
    """Return the sampled features, in the order of the bins."""
    if sample is None:
        return pd.DataFrame()
    held = [one.column for one in reference.bins if one.column in sample.column_names and one.column != roles.score]
    found: pd.DataFrame = sample.select(held).to_pandas()
    return found


def _notes(before: TableProfile, now: TableProfile) -> Iterator[str]:
    if now.source == before.source:
        yield "The window is the reference's own table: nothing can have moved."
    for column, why in before.left_out.items():
        yield f"'{column}' is not compared: it {why}."
    for column in now.absent:
        yield f"'{column}' is not in the window's table: its values count as missing."
    for column, why in now.left_out.items():
        if column not in before.left_out:
            yield f"'{column}' is not compared: {why}."
