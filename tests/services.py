"""Runs the real service in processes of its own, and asks it over its socket."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 60.0
"""Seconds to wait for a service to be ready, or to end."""


@dataclass
class Service:
    """A running service."""

    process: "subprocess.Popen[str]"
    port: int

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def workers(self) -> list[int]:
        """The processes of its workers."""
        told = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        is_worker = [b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes() for one in told]
        return [int(one) for one, is_one in zip(told, is_worker, strict=True) if is_one]

    def ask(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Return status and JSON of one request."""
        data = None if body is None else json.dumps(body).encode()
        told = {"content-type": "application/json"} if data else {}
        request = urllib.request.Request(self.address + path, data, told | headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, _read(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, _read(error.read())

    def stop(self) -> dict[str, Any]:
        """Ask it to stop and return what it says in the end."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, err[-3000:]
        told: dict[str, Any] = json.loads(out)
        return told

    def kill(self) -> None:
        """Kill the supervisor and all workers at once, as `kill -9` does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=PATIENCE)


@contextmanager
def serving(workspace: Path, *words: str, errors: Path | None = None) -> Iterator[Service]:
    """Yield a service on a free port, once it is ready; it is killed in the end unless it was stopped."""
    said = errors or workspace / "serving.err"
    command = [sys.executable, "-m", "thinfile", "serve", f"workspace={workspace}", "port=0", "output=json", *words]
    with said.open("w") as stderr:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
            cwd=Path(__file__).parents[1],
        )
    service = Service(process, 0)
    try:
        service.port = _port(process, said)
        _wait_until(lambda: service.ask("/ready")[0] == 200, process, said)
        yield service
    finally:
        if process.poll() is None:
            service.kill()
        if process.stdout:
            process.stdout.close()


async def ask_all(
    port: int, bodies: Sequence[bytes], connections: int, told: Callable[[int, int, bytes], None]
) -> None:
    """Send bodies to /decisions over some connections that stay open; tell number, status and answer of each.

    A connection that breaks is told as status 0.
    """
    queue = iter(enumerate(bodies))

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number, body in queue:
            status, answer = await exchange(reader, writer, body)
            told(number, status, answer)
            if status == 0:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()

    tasks: list[Awaitable[None]] = [one() for _ in range(connections)]
    await asyncio.gather(*tasks)


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> tuple[int, bytes]:
    """Return status and body of one request on an open connection, status 0 when it breaks."""
    head = b"POST /decisions HTTP/1.1\r\nhost: service\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    try:
        writer.write(head % len(body) + body)
        answered = await reader.readuntil(b"\r\n\r\n")
        length = int(answered.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return int(answered.split(b" ", 2)[1]), await reader.readexactly(length)
    except (OSError, asyncio.IncompleteReadError):
        return 0, b""


def _read(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode()


def _port(process: "subprocess.Popen[str]", said: Path) -> int:
    found: list[str] = []

    def is_told() -> bool:
        found[:] = [line for line in said.read_text().splitlines() if " at http://" in line]
        return bool(found)

    _wait_until(is_told, process, said)
    return int(found[0].partition(" at http://")[2].partition(",")[0].rpartition(":")[2])


def _wait_until(condition: Callable[[], bool], process: "subprocess.Popen[str]", said: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            if condition():
                return
        except (OSError, urllib.error.URLError):
            pass
        time.sleep(0.1)
    raise AssertionError(f"the service did not come up: {said.read_text()[-3000:]}")
