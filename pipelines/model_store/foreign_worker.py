"""Loads a model that another tool logged and answers rows with its predictions: the program of the model's own process.

It is a script that imports nothing of Thinfile: `python -I -S foreign_worker.py MODEL CHANNEL PATH...`, where CHANNEL
is the file descriptor of a socket and the PATHs have the installed packages. `isolation.py` starts it where it reaches
nothing else. A message is two lengths, a JSON record and bytes: rows come in as an Arrow stream, predictions go out as
the bytes of an array, whose type and shape are in the record.
"""

import errno
import json
import os
import socket
import struct
import sys
import traceback
from collections.abc import Iterator
from typing import Any

HEADER = struct.Struct("<QQ")
"""The lengths of a message's record and bytes."""

NETWORK = {errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.ECONNREFUSED}
FILES = {errno.ENOENT, errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EPERM, errno.EMFILE}
MOST_WORDS = 300


def main(model: str, channel: int) -> None:
    """Load the model in a folder, report it, and answer until the channel ends."""
    with socket.socket(fileno=channel) as connection:
        try:
            predict = load(model)
        except BaseException as error:  # whatever the model's code raises
            send(connection, failure(error))
            return
        send(connection, {"loaded": True})
        while (rows := receive(connection)) is not None:
            try:
                record, content = answer(predict, rows)
            except BaseException as error:
                send(connection, failure(error))
            else:
                send(connection, record, content)


def load(model: str) -> Any:
    """Return the function of an MLflow model that predicts."""
    import mlflow.pyfunc

    return mlflow.pyfunc.load_model(model).predict


def answer(predict: Any, rows: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the predictions for the rows of an Arrow stream: their type and shape, and their bytes."""
    import numpy as np
    import pyarrow as pa

    with pa.ipc.open_stream(pa.py_buffer(rows)) as stream:
        frame = stream.read_all().to_pandas(use_threads=False, split_blocks=True)
    predicted = np.asarray(predict(frame))
    predicted = predicted.astype(str) if predicted.dtype.hasobject else predicted
    return {"dtype": predicted.dtype.str, "shape": list(predicted.shape)}, predicted.tobytes()


def failure(error: BaseException) -> dict[str, str | None]:
    """Return the limit that stopped the model, None for an error of its own, and the error in words."""
    causes = list(_causes(error))
    limits = [limit for limit in map(limit_of, causes) if limit]
    last = causes[-1]
    return {"limit": limits[0] if limits else None, "error": f"{type(last).__name__}: {last}"[:MOST_WORDS]}


def limit_of(error: BaseException) -> str | None:
    """Return which limit of the process an error comes from, None for any other."""
    match error:
        case MemoryError():
            return "memory"
        case socket.gaierror() | ConnectionError():
            return "network"
        case RuntimeError() if "start new thread" in str(error):
            return "processes"
        case KeyError() if _raised_by_environment(error):
            return "environment"
        case OSError(filename=None, errno=errno.EAGAIN):
            return "processes"
        case OSError(filename=None, errno=errno.EACCES):
            return "network"
        case OSError() if error.errno in NETWORK:
            return "network"
        case OSError() if error.errno in FILES:
            return "files"
    return None


def _raised_by_environment(error: KeyError) -> bool:
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and frames[-1].filename in (os.__file__, "<frozen os>") and frames[-1].name == "__getitem__"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def send(connection: socket.socket, record: dict[str, Any], content: bytes = b"") -> None:
    """Send a message."""
    about = json.dumps(record).encode()
    connection.sendall(HEADER.pack(len(about), len(content)) + about + content)


def receive(connection: socket.socket) -> bytes | None:
    """Return the bytes of the next message, None when the channel has ended."""
    header = _exactly(connection, HEADER.size)
    if header is None:
        return None
    lengths = HEADER.unpack(header)
    record = _exactly(connection, lengths[0])
    return None if record is None else _exactly(connection, lengths[1])


def _exactly(connection: socket.socket, length: int) -> bytes | None:
    content = bytearray()
    while len(content) < length:
        part = connection.recv(min(length - len(content), 2**20))
        if not part:
            return None
        content += part
    return bytes(content)


if __name__ == "__main__":
    sys.path.extend(sys.argv[3:])
    main(sys.argv[1], int(sys.argv[2]))
