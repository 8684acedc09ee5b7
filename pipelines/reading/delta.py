"""A Delta table: the rows of one of its versions, written into a Parquet file."""

import os
import re
from pathlib import Path, PurePosixPath

import pyarrow.dataset as pds
import pyarrow.parquet as pq

from pipelines.errors import ConfigurationError, DataError
from pipelines.secrets.redaction import redacted

LOG = "_delta_log"
"""The folder in which a Delta table keeps which files each version has."""

VERSION = re.compile(r"[?&]version=([0-9]+)$")
"""The end of a location that names a version."""


def split_version(location: str) -> tuple[str, int | None]:
    """Return the location of a table, and the version that it names.

    >>> split_version("s3://lake/loans?version=12"), split_version("/lake/loans")
    (('s3://lake/loans', 12), ('/lake/loans', None))
    """
    named = VERSION.search(location)
    return (location, None) if named is None else (location[: named.start()], int(named[1]))


def is_delta_folder(path: Path) -> bool:
    """Return whether a folder of this machine is a Delta table."""
    return (path / LOG).is_dir()


def write_version(location: str, version: int | None, folder: Path, setting: str) -> Path:
    """Write the rows of a version, the latest by default, into a Parquet file that is named for it; return its path.

    Rows are in the order of the names of the version's files, which are the same at each reading.

    Raises:
        ConfigurationError: deltalake is not installed.
        DataError: there is no such version, or it uses features that deltalake does not read, such as deletion vectors.
    """
    try:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError
    except ImportError:
        raise ConfigurationError(
            f"{setting} is '{redacted(location)}', a Delta table, and deltalake is not installed; pip install "
            "'thinfile[delta]'"
        ) from None
    is_plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    try:
        table = DeltaTable(location, version=version, storage_options={"allow_http": "true"} if is_plain else None)
        rows = table.to_pyarrow_dataset()
    except DeltaError as error:
        chosen = "" if version is None else f" at version {version}"
        reason = redacted((str(error).strip() or type(error).__name__).splitlines()[0])
        raise DataError(
            f"{setting} is '{redacted(location)}', a Delta table that cannot be read{chosen} ({reason}); name another "
            "version, or correct the credentials in the environment"
        ) from error
    name = PurePosixPath(location.partition("?")[0].rstrip("/")).name
    path = folder / f"{name} version {table.version()}.parquet"
    fragments = sorted(rows.get_fragments(), key=lambda one: str(one.path))
    ordered = pds.FileSystemDataset(fragments, rows.schema, rows.format, rows.filesystem)
    with pq.ParquetWriter(path, rows.schema) as writer:
        for batch in ordered.to_batches():
            writer.write_batch(batch)
    return path
