"""Copies of decisions in a folder of the user's: of this machine or of another file system."""

import shutil
from collections.abc import Collection
from pathlib import Path

from pyarrow.fs import FileType

from pipelines.errors import ThinfileError
from pipelines.reading.locations import file_system_of, is_address
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import ScoreLog
from pipelines.secrets.redaction import redacted
from pipelines.storage.atomic_files import whole_file

DONE = "_SUCCESS"
"""An empty file that is written last, as Spark does: without it the copies are not complete."""


def copy_decisions(log: ScoreLog, key: LogKey, parts: Collection[str], location: str) -> int:
    """Copy the decisions of the parts of an input below a location, in the folders of the score log; return the files.

    A copy that exists is replaced, so that the same command again finishes the work.

    Raises:
        ThinfileError: the location cannot be written.
    """
    names = [name for name in log.partitions(key) if name.removesuffix(".parquet") in parts]
    folder = key.folder(Path()).as_posix()
    try:
        _remove(location, f"{folder}/{DONE}")  # of an earlier copy, which had fewer parts
        for name in names:
            _write(log.file(key, name), location, f"{folder}/{name}")
        _write(None, location, f"{folder}/{DONE}")
    except Exception as error:  # each file system has errors of its own
        reason = redacted((str(error).strip() or type(error).__name__).splitlines()[0])
        raise ThinfileError(
            f"decisions_to is '{redacted(location)}', which cannot be written ({reason}), and the decisions are in the "
            "score log; correct the location or the credentials in the environment, and run the same command again to "
            "copy them"
        ) from error
    return len(names)


def _remove(location: str, name: str) -> None:
    """Remove a file below a location, if it exists."""
    if not is_address(location):
        (Path(location).expanduser() / name).unlink(missing_ok=True)
        return
    system, base = file_system_of(location)
    if system.get_file_info(f"{base}/{name}").type == FileType.File:
        system.delete_file(f"{base}/{name}")


def _write(file: Path | None, location: str, name: str) -> None:
    """Write the bytes of a file, or none, below a location."""
    if not is_address(location):
        with whole_file(Path(location).expanduser() / name) as temporary:
            temporary.touch()
            if file is not None:
                shutil.copyfile(file, temporary)
        return
    system, base = file_system_of(location)
    target = f"{base}/{name}"
    if system.type_name != "s3":  # which has no folders; to make one takes more rights than to write an object
        system.create_dir(target.rpartition("/")[0], recursive=True)
    with system.open_output_stream(target, compression=None) as stream:
        if file is not None:
            with file.open("rb") as source:
                shutil.copyfileobj(source, stream, 1 << 22)
