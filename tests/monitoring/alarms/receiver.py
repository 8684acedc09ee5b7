"""A real HTTP server on this machine that keeps what it is posted, and answers as it is told."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HANGS, BREAKS = -1, -2
"""Answers that are none: nothing for a while, and a connection that is closed."""


@dataclass
class Receiver:
    """`answers` are given one after the other, the last again and again; `received` are headers and bodies."""

    port: int
    answers: list[int]
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    hang: float = 2.0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hooks/secret-path"

    def answer(self) -> int:
        """Return the next answer."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def receiver(answers: Sequence[int] = (200,)) -> Iterator[Receiver]:
    """Yield a server that listens."""
    found = Receiver(0, list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.received.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            status = found.answer()
            if status == HANGS:
                time.sleep(found.hang)
            if status > 0:
                self.send_response(status)
                if status in (301, 302, 307):
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

        def do_GET(self) -> None:  # where a redirect that is followed would lead
            found.received.append(({"followed": "yes"}, b""))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
