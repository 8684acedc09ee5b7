"""The sources of the tables of a marketplace: files, or one SELECT over the files of the raw folder."""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.errors import ConfigurationError, DataError
from pipelines.marketplace.raw_files import RawFiles, find_files, fingerprint_of, path_of
from pipelines.marketplace.settings import RawSettings, TableMappings
from pipelines.marketplace.tables import CONTRACTS
from pipelines.reading.files import SUFFIXES


@dataclass(frozen=True)
class TableSource:
    """The files of one table; with `sql`, a SELECT over the views that `files` names."""

    table: str
    files: tuple[RawFiles, ...]
    sql: str | None = None

    @property
    def bytes(self) -> int:
        """The size of the files."""
        return sum(path.stat().st_size for files in self.files for path in files.paths)


def find_sources(raw: RawSettings, required: Collection[str]) -> dict[str, TableSource]:
    """Return the sources of the tables, without those that are not `required` and have no file.

    Raises:
        ConfigurationError: a table has both a path and a SELECT; a file with a SELECT is missing.
        DataError: a required table is missing; a SELECT names none of the files.
    """
    sources = {}
    for name in (contract.name for contract in CONTRACTS):
        source = find_source(raw, name, is_required=name in required or path_of(raw, name) is not None)
        if source is not None:
            sources[name] = source
    if "applications" not in sources:
        sources.pop("instalments", None)  # nothing to refer to
    return sources


def find_source(raw: RawSettings, table: str, *, is_required: bool) -> TableSource | None:
    """Return the source of one table; None for one that neither is required nor has a path or a SELECT."""
    mapping = raw.tables.of(table)
    if mapping.sql is not None:
        return _of_sql(raw, table, sql_of(raw, table))
    if is_required or mapping.path is not None:
        return TableSource(table, (find_files(raw, table),))
    return None


def fingerprint_sources(sources: Mapping[str, TableSource], threads: int) -> dict[str, str]:
    """Return a SHA-256 of each table's files by their bytes, and of its SELECT."""
    return {name: _fingerprint(source, threads) for name, source in sources.items()}


def _fingerprint(source: TableSource, threads: int) -> str:
    digests = [fingerprint_of(files, threads) for files in source.files]
    if source.sql is None:
        return digests[0]
    return hashlib.sha256("".join([source.sql, *digests]).encode()).hexdigest()


def sql_of(raw: RawSettings, table: str) -> str:
    """Return the SELECT of a table, as it is set or from its file.

    Raises:
        ConfigurationError: the table has a path too, or the file does not exist.
    """
    mapping = raw.tables.of(table)
    sql = mapping.sql or ""
    if mapping.path is not None:
        raise ConfigurationError(f"raw.tables.{table} has both path and sql; keep one")
    if not sql.strip().endswith(".sql") or len(sql.split()) != 1:
        return sql
    file = Path(raw.folder).expanduser() / sql.strip()
    if not file.is_file():
        raise ConfigurationError(f"raw.tables.{table}.sql is '{sql}', and '{file}' does not exist; correct it")
    return file.read_text(encoding="utf-8")


def _of_sql(raw: RawSettings, table: str, sql: str) -> TableSource:
    folder = Path(raw.folder).expanduser()
    names = _names_below(folder)
    used = [name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql, re.IGNORECASE)]
    if not used:
        raise DataError(
            f"raw.tables.{table}.sql reads none of the files in '{folder}'; name them without their suffix: "
            f"{', '.join(names) or 'the folder has no table'}"
        )
    return TableSource(table, tuple(_files_of(raw, name) for name in used), sql.strip().rstrip(";"))


def _files_of(raw: RawSettings, name: str) -> RawFiles:
    return find_files(replace(raw, tables=TableMappings()), name)


def _names_below(folder: Path) -> list[str]:
    """Return the names of the files and folders that a SELECT can read, without suffixes."""
    if not folder.is_dir():
        raise DataError(f"raw.folder is '{folder}', which is not a folder; correct it")
    visible = [path for path in folder.iterdir() if not path.name.startswith((".", "_"))]
    return sorted({_bare_name(path) for path in visible if _is_source(path)})


def _is_source(path: Path) -> bool:
    return path.is_dir() or path.name.lower().endswith(SUFFIXES)


def _bare_name(path: Path) -> str:
    return path.name if path.is_dir() else path.name.removesuffix(".gz").rpartition(".")[0]
