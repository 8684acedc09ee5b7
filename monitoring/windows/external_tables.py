"""A window and its reference that were scored elsewhere: tables, or stored profiles of tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from monitoring.windows.months import joined
from monitoring.windows.references import Reference
from pipelines.credit.population import Population
from pipelines.errors import DataError, RequestError
from pipelines.profiles.column_names import feature_named, profile_column
from pipelines.profiles.engines import Engine
from pipelines.profiles.passes import open_table
from pipelines.profiles.reference_profile import ANY_TIME, SCORE, ReferenceProfile
from pipelines.profiles.roles import TableRoles
from pipelines.profiles.table_profile import TableProfile, profile_reference, profile_window
from pipelines.profiles.typed_tables import TableReader
from pipelines.profiles.window_profile import WindowProfile, name_of_bins

PROFILE_SUFFIX = ".json"


@dataclass(frozen=True)
class ExternalTables:
    """A reference and a window from tables that were scored elsewhere.

    `reference_profile` and `window_profile` are stored next to the report, so that the next report does not need the
    tables. The samples have features only; those of a stored profile are empty. `notes` are sentences.
    """

    reference: Reference
    window: WindowProfile
    reference_profile: TableProfile
    window_profile: TableProfile
    reference_sample: pd.DataFrame
    window_sample: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def not_compared(self) -> dict[str, str]:
        """The reason for each column that is left out."""
        return {**self.window_profile.left_out, **self.reference_profile.left_out}


def open_external_tables(
    window: Path,
    reference: Path,
    roles: TableRoles,
    population: Population,
    engine: Engine,
    reader: TableReader,
    *,
    most_sampled: int,
) -> ExternalTables:
    """Return a window and its reference, each a file, a folder of files, or a stored profile (.json).

    The months of a reference come from the names of its folders or files (`period=2026-10`). The columns of a window in
    text files have the types of the reference's columns.

    Raises:
        DataError: there is no table, a column is missing or of the wrong kind, or a file is not a profile.
        RequestError: the window's profile was counted in other bins than the reference's, or for another population.
    """
    if reference.suffix == PROFILE_SUFFIX:
        before = read_profile(reference)
    else:
        table = open_table(reader.as_parquet(reference, "reference_input"))
        before = profile_reference(engine, table, roles, population, most_sampled=most_sampled)
    if window.suffix == PROFILE_SUFFIX:
        now = read_profile(window)
    else:
        table = open_table(reader.as_parquet(window, "input", before.reference.bins))
        now = profile_window(engine, table, before.reference, roles, most_sampled=most_sampled)
    _check(before, now, population)
    return ExternalTables(
        reference=_reference(before),
        window=now.total,
        reference_profile=before,
        window_profile=now,
        reference_sample=_features(before.sample, before.reference),
        window_sample=_features(now.sample, before.reference),
        notes=tuple(_notes(before, now)),
    )


def read_profile(path: Path) -> TableProfile:
    """Return a stored profile.

    Raises:
        DataError: the file is missing or cannot be read.
    """
    try:
        return TableProfile.from_json(path.read_text())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"'{path}' is not a profile that `thinfile watch` stored next to a report ({error}); name such a file, or "
            "the table itself"
        ) from error


def _reference(profile: TableProfile) -> Reference:
    overall = {period: one.overall for period, one in profile.periods.items()}
    names = sorted({name for one in profile.periods.values() for name in one.segments})
    segments = {
        name: {period: one.segments[name] for period, one in profile.periods.items() if name in one.segments}
        for name in names
    }
    months = "" if set(overall) == {ANY_TIME} else f", {joined(sorted(overall))}"
    reference = profile.reference
    name = f"{reference.rows:,} {reference.population.value} of {profile.name}{months}"
    return Reference(name, reference, overall, segments, is_development=False)


def _check(before: TableProfile, now: TableProfile, population: Population) -> None:
    if before.reference.population is not population:
        raise RequestError(
            f"the window has the population '{population.value}', its reference '{before.reference.population.value}'; "
            f"set population={before.reference.population.value}"
        )
    if now.total.bins != name_of_bins(before.reference):
        raise RequestError(
            "the profile of the window was counted in other bins than those of this reference; name the table of the "
            "window instead, or the reference that the profile was counted for"
        )


def _features(sample: pa.Table | None, reference: ReferenceProfile) -> pd.DataFrame:
    if sample is None:
        return pd.DataFrame()
    names = [feature_named(one.column) for one in reference.bins if one.column != SCORE]
    features: pd.DataFrame = sample.select([name for name in names if name in sample.column_names]).to_pandas()
    return features.rename(columns=profile_column)


def _notes(before: TableProfile, now: TableProfile) -> Iterator[str]:
    if now.source == before.source:
        yield "The window and the reference are the same table, so no column can have moved."
    for column, why in before.left_out.items():
        yield f"'{column}' is not compared: it {why}."
    for column in now.absent:
        yield f"'{column}' is not in the table of the window, so its values count as missing."
    for column, why in now.left_out.items():
        if column not in before.left_out:
            yield f"'{column}' is not compared: {why}."
