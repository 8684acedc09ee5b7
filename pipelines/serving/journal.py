"""The journal: decisions on disk before they are answered, seen by every worker, until they are in the score log.

All workers of a host append to one file under one lock, so that there is one order of decisions. A record is written
before its decision is answered: a killed process loses nothing that was answered, and only a power cut may lose what
was not yet forced to the disk (the supervisor does that every second). A segment ends with a seal; what is sealed goes
to the score log and is deleted.
"""

import fcntl
import logging
import os
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from pipelines.secrets.private_files import make_folder

logger = logging.getLogger(__name__)

HEADER = struct.Struct("<III16s16s16s")
"""Bytes of the body, checksum of all that follows it, kind, application, request, decision."""
KEYED = struct.Struct("<I16s16s16s")
DECISION, SEAL = 1, 2
NOTHING = bytes(16)
CHUNK = 1 << 20


class Record(NamedTuple):
    """One decision: digests of its application (in its period) and of the request, its id, and all that was decided."""

    application: bytes
    request: bytes
    decision: bytes
    body: bytes

    def framed(self) -> bytes:
        """Return the bytes of the journal."""
        return _framed(DECISION, self.application, self.request, self.decision, self.body)


class Location(NamedTuple):
    """The location of a decision's record, and the digests of its application and request."""

    application: bytes
    request: bytes
    decision: bytes
    segment: "Segment"
    start: int
    length: int


@dataclass(eq=False)
class Segment:
    """One file of the journal as this process has read it: up to `end`, whole records only."""

    number: int
    path: Path
    file: int
    end: int = 0
    is_sealed: bool = False
    locations: list[Location] = field(default_factory=list)

    def body(self, location: Location) -> bytes:
        """Return the body of a record."""
        return os.pread(self.file, location.length, location.start)


class Journal:
    """The journal of one workspace as one process sees it; one thread uses it."""

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self.folder = folder
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        self._segments: list[Segment] = []
        self._by_application: dict[bytes, Location] = {}
        self._by_decision: dict[bytes, Location] = {}

    def close(self) -> None:
        """Close all files."""
        for segment in self._segments:
            os.close(segment.file)
        os.close(self._lock)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the journal and read what others have written; no other process appends until the block ends."""
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            self._catch_up(is_alone=True)
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def of_application(self, application: bytes) -> Location | None:
        """Return the decision of an application among what was read."""
        return self._by_application.get(application)

    def of_decision(self, decision: bytes) -> Location | None:
        """Return a decision of any worker by its id."""
        if decision not in self._by_decision:
            self.look()
        return self._by_decision.get(decision)

    def append(self, records: Sequence[Record]) -> None:
        """Write records, all in one; call it while the journal is locked."""
        segment = self._segments[-1]
        data = b"".join([record.framed() for record in records])
        _write(segment.file, data, segment.end)
        for record in records:
            start, length = segment.end + HEADER.size, len(record.body)
            self._enter(Location(record.application, record.request, record.decision, segment, start, length))
            segment.end = start + length

    def seal(self) -> None:
        """End the present segment and begin the next, unless nothing is in it; call it while the journal is locked."""
        segment = self._segments[-1]
        if segment.end == 0:
            return
        following = _path(self.folder, segment.number + 1)
        os.close(os.open(following, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))  # there before the seal is
        frame = _framed(SEAL, NOTHING, NOTHING, NOTHING, b"")
        _write(segment.file, frame, segment.end)
        self._catch_up(is_alone=True)

    def sealed(self) -> list[Segment]:
        """Return the segments that are complete, oldest first."""
        return [segment for segment in self._segments if segment.is_sealed]

    def look(self) -> None:
        """Read what other processes have written since, without the lock."""
        self._catch_up(is_alone=False)

    def waiting(self) -> int:
        """Return how many decisions are not in the score log yet, as far as was read."""
        return sum(len(segment.locations) for segment in self._segments)

    def force_to_disk(self) -> None:
        """Force what was written to the disk, so that it survives a power cut."""
        if self._segments:
            os.fdatasync(self._segments[-1].file)
            force_to_disk(self.folder)

    def forget_rolled(self) -> None:
        """Close segments that are in the score log and whose files are deleted."""
        for segment in [one for one in self._segments if one.is_sealed and not one.path.exists()]:
            self._segments.remove(segment)
            os.close(segment.file)
            for location in segment.locations:
                if self._by_application.get(location.application) is location:
                    del self._by_application[location.application]
                if self._by_decision.get(location.decision) is location:
                    del self._by_decision[location.decision]

    def _enter(self, location: Location) -> None:
        location.segment.locations.append(location)
        self._by_application[location.application] = self._by_decision[location.decision] = location

    def _catch_up(self, *, is_alone: bool) -> None:
        """Read what other processes have written since; with the lock held, set a torn end aside."""
        while True:
            if not self._segments and not self._open_next(-1, may_create=is_alone):
                return
            segment = self._segments[-1]
            if not segment.is_sealed:
                self._read(segment)
                if is_alone and not segment.is_sealed:
                    _cut_torn_end(segment)
            if not segment.is_sealed or not self._open_next(segment.number, may_create=is_alone):
                return

    def _open_next(self, number: int, *, may_create: bool) -> bool:
        """Open the first segment after a number; those in between are in the score log."""
        later = [one for one in _numbers(self.folder) if one > number]
        if not later and not may_create:
            return False
        path = _path(self.folder, min(later) if later else number + 1)
        try:
            file = os.open(path, os.O_RDWR | (0 if later else os.O_CREAT), 0o600)
        except FileNotFoundError:  # rolled in this very moment
            return self._open_next(int(path.stem), may_create=may_create)
        self._segments.append(Segment(int(path.stem), path, file))
        return True

    def _read(self, segment: Segment) -> None:
        """Enter the whole records that follow what was read."""
        size = CHUNK
        while data := os.pread(segment.file, size, segment.end):
            position = 0
            while (record := _record_at(data, position)) is not None:
                kind, application, request, decision, length = record
                if kind == SEAL:
                    segment.is_sealed = True
                    return
                start = segment.end + HEADER.size
                self._enter(Location(application, request, decision, segment, start, length))
                position += HEADER.size + length
                segment.end = start + length
            if position == 0 and len(data) < size:
                return
            size = CHUNK if position else 2 * size  # a record may be larger than what is read at once


def application_digest(model: str, period: str, application_id: str) -> bytes:
    """Return the 16 bytes under which an application's decision of a period is found."""
    return blake2b(f"{model}/{period}/{application_id}".encode(), digest_size=16).digest()


def _record_at(data: bytes, position: int) -> tuple[int, bytes, bytes, bytes, int] | None:
    """Return the record at a position, None when it is not there whole and as it was written."""
    if len(data) - position < HEADER.size:
        return None
    length, checksum, kind, application, request, decision = HEADER.unpack_from(data, position)
    end = position + HEADER.size + length
    if end > len(data) or zlib.crc32(data[position + 8 : end]) != checksum:
        return None
    return kind, application, request, decision, length


def _framed(kind: int, application: bytes, request: bytes, decision: bytes, body: bytes) -> bytes:
    keyed = KEYED.pack(kind, application, request, decision)
    checksum = zlib.crc32(body, zlib.crc32(keyed))
    return struct.pack("<II", len(body), checksum) + keyed + body


def _cut_torn_end(segment: Segment) -> None:
    """Set aside what follows the last whole record: a process died, or the power went, while it was written."""
    size = os.fstat(segment.file).st_size
    if size <= segment.end:
        return
    aside = segment.path.with_suffix(f".torn-{segment.end}")
    aside.write_bytes(os.pread(segment.file, size - segment.end, segment.end))
    os.ftruncate(segment.file, segment.end)
    logger.warning("the journal ended in an incomplete record of %d bytes, which was set aside", size - segment.end)


def _write(file: int, data: bytes, position: int) -> None:
    """Write all bytes at a position; a disk that is full leaves what was there."""
    written = 0
    try:
        while written < len(data):
            written += os.pwrite(file, data[written:], position + written)
    except OSError:
        os.ftruncate(file, position)
        raise


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:08d}.journal"


def _numbers(folder: Path) -> list[int]:
    return [int(path.stem) for path in folder.iterdir() if re.fullmatch(r"[0-9]{8}\.journal", path.name)]


def force_to_disk(path: Path) -> None:
    """Force a file, or the list of files of a folder, to the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
