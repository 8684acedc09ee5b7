"""The process of a model that another tool logged: rows in, predictions out, and limits on all that it does."""

import io
import json
import os
import select
import shutil
import socket
import subprocess
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.errors import RequestError, ThinfileError
from pipelines.model_store import foreign_worker
from pipelines.model_store.foreign_command import BUBBLEWRAP, NONE, OWN, command_of, plan_of
from pipelines.model_store.foreign_worker import HEADER
from pipelines.model_store.intact import check_files
from pipelines.model_store.isolation import READY
from pipelines.model_store.system_calls import IsolationUnavailable
from pipelines.policy.model_settings import ModelSettings

ISOLATED = "isolated: namespaces of its own, without network, other processes or files to write"
UNISOLATED = "not isolated (policy.models.unisolated): it could read files"
IN_WORDS = {OWN: ISOLATED, BUBBLEWRAP: f"{ISOLATED} (bubblewrap)", NONE: UNISOLATED}

MOST_RECORD = 65_536
BYTES_BY_ROW, MOST_OVERHEAD = 64, 65_536
"""An answer with more bytes than so many a row, and so many in any case, is not read."""

ENDING_SECONDS = 10

Record = dict[str, Any]


class ForeignProcess:
    """The process of one model. It starts with the first question, and again after it was stopped.

    `digest` is the hash of the model, whose files must have it whenever the process starts.
    """

    def __init__(self, folder: Path, title: str, digest: str, settings: ModelSettings) -> None:
        self._folder, self._title, self._digest, self._settings = folder, title, digest, settings
        self._lock = threading.Lock()
        self._running: _Running | None = None

    @property
    def isolation(self) -> str:
        """How the process is kept apart, in words.

        Raises: see `predict`.
        """
        with self._lock:
            return IN_WORDS[self._started().way]

    def predict(self, frame: pd.DataFrame) -> NDArray[Any]:
        """Return what the model predicts for the rows of a frame, as it is.

        Raises:
            RequestError: this machine cannot isolate the process and the policy does not accept that.
            ThinfileError: a limit stopped the model, or it failed.
        """
        table, stream = pa.Table.from_pandas(frame, preserve_index=False), io.BytesIO()
        with pa.ipc.new_stream(stream, table.schema) as writer:
            writer.write_table(table)
        with self._lock:
            running = self._started()
            record, content = self._exchange(running, stream.getvalue(), len(frame))
        self._check(record)
        try:
            return _array(record, content)
        except (ValueError, TypeError, KeyError) as error:
            raise self._failed(f"answered with something that is not an array ({_plain(error)})") from error

    def _started(self) -> "_Running":
        """Return the running process, started now where there is none."""
        running = self._running
        if running is not None and running.is_ours:
            return running
        ways = [
            OWN,
            *([BUBBLEWRAP] if shutil.which(BUBBLEWRAP) else []),
            *([NONE] if self._settings.unisolated else []),
        ]
        if not check_files(self._folder, self._digest).is_intact:
            raise ThinfileError(
                f"the files of {self._title} were changed since they were checked; restore {self._folder} from a copy"
            )
        unavailable = ""
        for way in ways:
            try:
                running = _Running(self._folder, self._settings, way)
            except IsolationUnavailable as error:
                unavailable = str(error)
                continue
            unavailable = running.unavailable(self._settings.seconds)
            if not unavailable:
                return self._loaded(running)
            running.stop()
        raise RequestError(
            f"{self._title} was logged by another tool, and this machine cannot isolate the process that runs it "
            f"({_plain(unavailable)}); allow user namespaces, or accept that its code can read files: "
            "policy.models.unisolated=true"
        )

    def _loaded(self, running: "_Running") -> "_Running":
        """Return a started process that has loaded its model."""
        record, _ = self._receive(running, 0)
        if record.get("loaded") is True:
            self._running = running
            return running
        running.stop()
        self._check(record)
        raise self._failed("did not report that it was loaded")

    def _exchange(self, running: "_Running", question: bytes, rows: int) -> tuple[Record, bytes]:
        header = HEADER.pack(2, len(question)) + b"{}"
        return self._receive(running, rows, header + question)

    def _receive(self, running: "_Running", rows: int, question: bytes = b"") -> tuple[Record, bytes]:
        """Send a question, if any, and return the answer; the process ends where there is none in time."""
        try:
            return running.exchange(question, self._settings.seconds, MOST_OVERHEAD + rows * BYTES_BY_ROW)
        except (TimeoutError, EOFError, OSError, ValueError, RecursionError) as error:
            code = running.stop()
            self._running = None
            if isinstance(error, TimeoutError):
                advice = f"{self._settings.seconds:g} seconds; raise policy.models.seconds"
                raise self._stopped("time", advice) from error
            reason = (
                _plain(error)
                if isinstance(error, ValueError | RecursionError)
                else f"its process ended {_end_in_words(code)}"
            )
            raise self._failed(f"gave no answer: {reason}") from error

    def _check(self, record: Record) -> None:
        """Raise for an answer that names a failure."""
        if "error" not in record:
            return
        limit, error = record.get("limit"), _plain(record["error"])
        if limit not in ADVICE:
            raise self._failed(f"failed: {error}")
        if self._running is not None:
            self._running.stop()
            self._running = None
        raise self._stopped(str(limit), f"{ADVICE[limit].format(memory=self._settings.memory)} ({error})")

    def _stopped(self, limit: str, advice: str) -> ThinfileError:
        return ThinfileError(f"{self._title} was stopped by the limit on {limit}: {advice}")

    def _failed(self, reason: str) -> ThinfileError:
        return ThinfileError(f"{self._title}, which another tool logged, {reason}; log a corrected version")


ADVICE = {
    "memory": "{memory:g} gigabytes; raise policy.models.memory if the model needs more",
    "network": "its process has no network; log a version that needs none",
    "processes": "its process may not start others; log a version that needs none",
    "files": "its process may only read its own folder and the installed packages, and write little into /tmp",
    "environment": "its process has no environment variables of yours; log a version that needs none",
}
"""What to do about each limit."""


def _end_in_words(code: int | None) -> str:
    """Return how a process ended.

    >>> _end_in_words(1), _end_in_words(256 - 9)
    ('with exit code 1', 'by signal 9 (for example for want of memory)')
    """
    if code is not None and code > 128:
        return f"by signal {256 - code} (for example for want of memory)"
    return f"with exit code {code}"


def _plain(text: object) -> str:
    """Return a text of the model's process in one line of printable characters."""
    return "".join(letter if letter.isprintable() else " " for letter in str(text))[: foreign_worker.MOST_WORDS]


class _Running:
    """A started process and the socket to it."""

    def __init__(self, folder: Path, settings: ModelSettings, way: str) -> None:
        self.way, self._owner = way, os.getpid()
        ours, theirs = socket.socketpair()
        self._status, status = os.pipe()
        with theirs, os.fdopen(status, "wb"):
            self._process = subprocess.Popen(
                command_of(way, plan_of(folder, (theirs.fileno(), status), settings, way)),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno(), status],
                env={},
                start_new_session=True,
            )
        self._channel = ours
        self._end = weakref.finalize(self, _end, self._process, ours, self._owner)

    @property
    def is_ours(self) -> bool:
        """Whether this very process started it; a fork of it must start another one."""
        return self._owner == os.getpid()

    def unavailable(self, seconds: float) -> str:
        """Return why the model's process was not started, empty where it was.

        The starter reports it on a file that the model's code never has, so that no model can choose another way.
        """
        report, until = b"", time.monotonic() + seconds
        with os.fdopen(self._status, "rb", buffering=0) as status:
            while select.select([status], [], [], max(until - time.monotonic(), 0))[0]:
                part = status.read(MOST_RECORD)
                if not part:
                    break
                report += part
        if report == READY:
            return ""
        reason = report.removeprefix(READY).decode(errors="replace")
        return reason or f"{self.way} ended {_end_in_words(self.stop())}"

    def exchange(self, question: bytes, seconds: float, most: int) -> tuple[Record, bytes]:
        """Send a question and return the answer.

        Raises:
            TimeoutError: it takes longer than so many seconds.
            EOFError: the process ended.
            ValueError: the answer has more bytes than `most`, or is not a message.
        """
        until = time.monotonic() + seconds
        sent, received = memoryview(question), bytearray()
        self._channel.setblocking(False)
        while (missing := _missing(received, most)) > 0:
            left = until - time.monotonic()
            waiting = select.poll()
            waiting.register(self._channel, select.POLLIN | (select.POLLOUT if sent else 0))
            ready = waiting.poll(max(left, 0) * 1000)
            if left <= 0 or not ready:
                raise TimeoutError
            if ready[0][1] & select.POLLOUT:
                sent = sent[self._channel.send(sent[: 2**16]) :]
            if ready[0][1] & ~select.POLLOUT:
                part = self._channel.recv(min(missing, 2**20))
                if not part:
                    raise EOFError
                received += part
        record_length, _ = HEADER.unpack_from(received)
        record = json.loads(received[HEADER.size : HEADER.size + record_length])
        if not isinstance(record, dict):
            raise ValueError("the answer is not a message")
        return record, bytes(received[HEADER.size + record_length :])

    def stop(self) -> int | None:
        """End the process and return its exit code, None where it is not over."""
        self._end()
        return self._process.poll()


def _missing(received: bytearray, most: int) -> int:
    """Return how many bytes of an answer are still to come. Raises ValueError where they are too many."""
    if len(received) < HEADER.size:
        return HEADER.size - len(received)
    record, content = HEADER.unpack_from(received)
    if record > MOST_RECORD or content > most:
        raise ValueError(f"the answer has {record + content:,} bytes")
    return int(HEADER.size + record + content - len(received))


def _end(process: "subprocess.Popen[bytes]", channel: socket.socket, owner: int) -> None:
    """End the guard, which ends the model's process, and wait for it; a fork only closes its copies."""
    if owner == os.getpid():
        process.terminate()
    channel.close()
    if process.stdin is not None:
        process.stdin.close()
    if owner != os.getpid():
        return
    try:
        process.wait(ENDING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _array(record: Record, content: bytes) -> NDArray[Any]:
    """Return the array of an answer. Raises ValueError, TypeError or KeyError for anything else."""
    kind = np.dtype(str(record["dtype"]))
    if kind.kind not in "biufU":
        raise ValueError(f"values of type {kind}")
    return np.frombuffer(content, kind).reshape([int(length) for length in record["shape"]])
