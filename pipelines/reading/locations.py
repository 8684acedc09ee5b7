"""Where a table is: a path of this machine, or an address of another file system, whose files are copied first."""

import logging
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from errno import ENOSPC
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from pipelines.command.progress import progress
from pipelines.errors import DataError, ThinfileError
from pipelines.reading.delta import LOG, is_delta_folder, split_version, write_version
from pipelines.reading.files import SUFFIXES
from pipelines.secrets.private_files import make_folder
from pipelines.secrets.redaction import redacted
from pipelines.storage.atomic_files import scratch_folder

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo, FileSystem

log = logging.getLogger(__name__)

ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
OF_ARROW = ("s3", "gs", "gcs", "abfs", "abfss", "hdfs", "viewfs", "file")
"""Schemes of the file systems that pyarrow brings; the others are those of fsspec."""
COPIED = (*SUFFIXES, ".sql")
"""Endings of the files that are copied from a folder: tables, and the queries beside raw tables."""
AT_ONCE, CHUNK = 8, 1 << 22


def is_address(location: str) -> bool:
    """Return whether a location is the address of a file system, such as s3://bucket/folder."""
    return ADDRESS.match(location) is not None


def is_elsewhere(location: str) -> bool:
    """Return whether a table is not read where it is: it is at an address, or is a Delta table."""
    return is_address(location) or is_delta_folder(Path(split_version(location)[0]))


@contextmanager
def opened_location(location: str, root: Path, *, setting: str = "data.path") -> Iterator[Path]:
    """Yield the path of a file or folder of this machine.

    That of another file system is copied below `root` until the block ends, and a version of a Delta table is written
    there; errors of the block name the user's location and not the copy. Credentials are those that the file system
    finds in the environment.

    Raises:
        ConfigurationError: the location is a Delta table, and deltalake is not installed.
        DataError: there is no file at an address, it cannot be read, or it changes while it is copied.
    """
    if not is_elsewhere(location):
        yield Path(location)
        return
    with scratch_folder(root) as scratch:
        path = _copied(location, scratch, setting)
        try:
            yield path
        except ThinfileError as error:
            address = redacted(location.partition("?")[0].rstrip("/"))
            error.args = (str(error).replace(str(path), address),)
            raise


@dataclass(frozen=True)
class _RemoteFile:
    """A file to copy: its name below the location, and what its file system knew of it before."""

    name: str
    info: "FileInfo"


def _copied(location: str, scratch: Path, setting: str) -> Path:
    """Copy the file or the folder of a location below `scratch`, and return its path there."""
    address, version = split_version(location)
    if not is_address(address):
        return write_version(address, version, scratch, setting)
    with _readable(location, setting):
        system, base = file_system_of(address)
        if _is_folder(system, f"{base}/{LOG}"):
            return write_version(address, version, scratch, setting)
        if version is not None:
            raise DataError(
                f"{setting} is '{redacted(location)}', which is not a Delta table and has no versions; leave out "
                f"version={version}"
            )
        root = system.get_file_info(base)
        files = [_RemoteFile("", root)] if root.is_file else list(_below(system, base))
        if not files:
            raise DataError(
                f"{setting} is '{redacted(location)}', where there is no table; set it to a file "
                f"({', '.join(SUFFIXES)}) or a folder of such files"
            )
        path = scratch / (PurePosixPath(base).name or "table")
        with ThreadPoolExecutor(AT_ONCE) as pool, progress("copy", len(files), log) as advance:
            for done, name in enumerate(pool.map(lambda file: _copy(system, file, path), files), start=1):
                advance(done, name or path.name)
        _check_unchanged(system, files, location)
    return path


def file_system_of(location: str) -> tuple["FileSystem", str]:
    """Return the file system of an address, and the path in it; a path is written as it is, without %20."""
    from pyarrow import fs

    scheme, _, rest = location.partition("://")
    if scheme in OF_ARROW:
        path, mark, options = rest.partition("?")
        system, base = fs.FileSystem.from_uri(f"{scheme}://{quote(path, safe='/:@=,+$!')}{mark}{options}")
    else:
        import fsspec

        opened, base = fsspec.url_to_fs(location)
        system = fs.PyFileSystem(fs.FSSpecHandler(opened))
    return system, base.rstrip("/")


def _is_folder(system: "FileSystem", path: str) -> bool:
    from pyarrow.fs import FileType

    return bool(system.get_file_info(path).type == FileType.Directory)


def _below(system: "FileSystem", base: str) -> Iterator[_RemoteFile]:
    """Yield the files of tables below a folder, in the order of their names."""
    from pyarrow import fs

    found = system.get_file_info(fs.FileSelector(base, allow_not_found=True, recursive=True))
    for info in sorted(found, key=lambda one: str(one.path)):
        name = info.path.strip("/").removeprefix(base.strip("/")).strip("/")
        is_hidden = any(part.startswith(("_", ".")) for part in name.split("/"))
        if info.is_file and name.lower().endswith(COPIED) and not is_hidden:
            yield _RemoteFile(name, info)


def _copy(system: "FileSystem", file: _RemoteFile, folder: Path) -> str:
    path = folder / file.name if file.name else folder
    make_folder(path.parent)
    with system.open_input_stream(file.info.path, compression=None) as source, path.open("wb") as target:
        while chunk := source.read(CHUNK):
            target.write(chunk)
    return file.name


def _check_unchanged(system: "FileSystem", files: Sequence[_RemoteFile], location: str) -> None:
    """Raise DataError where a file is not what it was before the copy."""
    for file, now in zip(files, system.get_file_info([file.info.path for file in files]), strict=True):
        before = file.info
        if (now.type, now.size, now.mtime_ns) != (before.type, before.size, before.mtime_ns):
            name = f"file '{file.name}' of " if file.name else ""
            raise DataError(f"{name}'{redacted(location)}' changed while it was copied; run again when it is complete")


@contextmanager
def _readable(location: str, setting: str) -> Iterator[None]:
    """Turn the errors of a file system, each of which has its own, into a DataError."""
    try:
        yield
    except ThinfileError:
        raise
    except ImportError as error:
        raise DataError(
            f"{setting} is '{redacted(location)}', and its file system is not installed ({error}); install it, or copy "
            "the files to this machine"
        ) from error
    except Exception as error:  # of botocore, google and others, which share no class
        if isinstance(error, OSError) and error.errno == ENOSPC:
            raise
        reason = redacted((str(error).strip() or type(error).__name__).splitlines()[0])
        raise DataError(
            f"{setting} is '{redacted(location)}', which cannot be read ({reason}); correct the address, or the "
            "credentials and the endpoint in the environment"
        ) from error
