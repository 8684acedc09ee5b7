"""Tables to be compared, as Parquet with the types of their values, which text files do not have."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.profiles.column_names import feature_named
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.profiles.parquet_types import are_flags, are_typed, counted_by
from pipelines.reading.column_types import ColumnType
from pipelines.reading.files import TableFile, find_files
from pipelines.reading.frames import Frame, frame_of
from pipelines.reading.reading import Reading
from pipelines.reading.settings import ReadingSettings
from pipelines.reading.tables import read_parts, unified_table
from pipelines.reading.values import EXACT, Kind
from pipelines.secrets.private_files import make_folder


@dataclass(frozen=True)
class TableReader:
    """Reads the tables of a comparison; what is written for them lies below `scratch`.

    `coded` are columns that are counted by name, `ignored` ones that are not read.
    """

    settings: ReadingSettings
    scratch: Path
    group: str = "table"
    coded: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def as_parquet(self, path: Path, setting: str, bins: Sequence[FrozenBins] = ()) -> Path:
        """Return a table as Parquet files: its own, or ones with the types that its values have.

        Its own are taken where they are Parquet with such types and nothing is declared. With `bins`, those of a
        reference, its columns have the types that the reference's columns have.

        Raises:
            DataError: see `read_parts`.
        """
        files = find_files(path, setting=setting, any_text=self.settings.delimiter is not None)
        as_stored = all(file.is_parquet for file in files) and not self._declares()
        if as_stored and are_typed(files, counted_by(bins, self.coded), self.ignored):
            return path
        parts = read_parts(files, self.settings, self.scratch, group=self.group)
        frame = frame_of(unified_table(parts), Reading.of(self.settings), _types(bins))
        rows = pa.table({str(name): _array(frame, str(name), bins) for name in frame.rows})
        target, first = self.scratch / setting / path.stem, 0
        for file, part in zip(files, parts, strict=True):
            place = target.with_suffix(".parquet") if path.is_file() else target / _renamed(file, path)
            make_folder(place.parent)
            own = [name for name in rows.column_names if name not in file.partition]
            pq.write_table(rows.slice(first, len(part)).select(own), place)
            first += len(part)
        return target.with_suffix(".parquet") if path.is_file() else target

    def _declares(self) -> bool:
        usual = ReadingSettings()
        return any(getattr(self.settings, one.name) != getattr(usual, one.name) for one in fields(usual))


def _types(bins: Sequence[FrozenBins]) -> dict[str, ColumnType]:
    return {feature_named(one.column): ColumnType(_kind(one), "as in the reference") for one in bins}


def _kind(bins: FrozenBins) -> Kind:
    if bins.edges is not None:
        return Kind.flag  # a number, or a word for 1 or 0
    return Kind.flag if are_flags(bins) else Kind.text


def _array(frame: Frame, name: str, bins: Sequence[FrozenBins]) -> pa.Array:
    """Return a column in the type of its values; what is no number in a column of numbers is missing."""
    values, of = frame.rows[name], frame.types[name]
    if of.kind in (Kind.number, Kind.flag):
        numbers = np.array([np.nan if one is None or isinstance(one, str) else float(one) for one in values])
        is_flag = next((are_flags(one) for one in bins if feature_named(one.column) == name), "true" in of.why)
        if is_flag:
            return pa.array(numbers == 1, pa.bool_(), mask=np.isnan(numbers))
        are_whole = (np.abs(numbers) < EXACT) & (numbers == np.trunc(numbers)) | np.isnan(numbers)
        if are_whole.all():
            return pa.array(np.nan_to_num(numbers).astype(np.int64), mask=np.isnan(numbers))
        return pa.array(numbers, from_pandas=True)
    if of.kind is Kind.time and pd.api.types.is_datetime64_any_dtype(values):
        return pa.Array.from_pandas(values)
    return pa.array([None if one is None or one != one else str(one) for one in values], pa.string())


def _renamed(file: TableFile, folder: Path) -> Path:
    relative = file.path.relative_to(folder)
    return relative.with_name(relative.name.partition(".")[0] + ".parquet")
