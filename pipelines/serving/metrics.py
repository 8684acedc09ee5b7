"""Counters of each worker in a file, and their sum in Prometheus's text format."""

import mmap
import os
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from pipelines.secrets.private_files import make_folder

ROUTES = ("decide", "decision", "health", "ready", "version", "metrics", "openapi", "page", "other")
STATUSES = (200, 400, 401, 404, 405, 408, 409, 413, 415, 422, 429, 500, 503)
DECISIONS = ("approved", "declined", "referred")
EVENTS = {
    "repeated": "Requests for an application that was already decided in its period",
    "champion_changes": "Champion changes of a worker",
    "champion_refused": "Failed champion changes of a worker",
    "champion_disputed": "Looks at the registry that contradicted the promotion ledger",
    "rolled": "Decisions written from the journal to the score log",
    "contradicted": "Decisions that a scored table had decided otherwise in the score log",
    "shadow_scored": "Decisions also scored by the shadow",
    "shadow_lacking": "Decisions that the shadow could not score because a feature was not sent",
    "shadow_failed": "Decisions whose shadow score failed",
}
BOUNDS = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
"""Upper ends of the histogram of seconds that a decision took."""

_NAMES = [
    *(f"requests {route} {status}" for route in ROUTES for status in STATUSES),
    *(f"decisions {decision}" for decision in DECISIONS),
    *(f"seconds {bound}" for bound in (*BOUNDS, "+Inf")),
    "seconds sum",
    *(f"event {event}" for event in EVENTS),
    "version",
]
_PLACES = {name: place for place, name in enumerate(_NAMES)}
_REQUESTS = {(r, s): _PLACES[f"requests {r} {s}"] for r in ROUTES for s in STATUSES}
_DECISIONS = {decision: _PLACES[f"decisions {decision}"] for decision in DECISIONS}
_SECONDS = _PLACES[f"seconds {BOUNDS[0]}"]


class Metrics:
    """The counters of one process, in a memory-mapped file that other processes can read."""

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self.folder = folder
        size = 8 * len(_NAMES)
        file = os.open(folder / f"{os.getpid()}.counters", os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(file, size)
        self._map = mmap.mmap(file, size)
        os.close(file)
        self._values = memoryview(self._map).cast("d")

    def count_request(self, route: str, status: int) -> None:
        """Count one answered request."""
        self._values[_REQUESTS[route, status if status in STATUSES else 500]] += 1

    def count_decision(self, decision: str) -> None:
        """Count one decision."""
        self._values[_DECISIONS[decision]] += 1

    def count_seconds(self, seconds: float) -> None:
        """Count how long a request for decisions took."""
        self._values[_SECONDS + bisect_left(BOUNDS, seconds)] += 1
        self._values[_PLACES["seconds sum"]] += seconds

    def count_event(self, event: str, times: int = 1) -> None:
        """Count an event."""
        self._values[_PLACES[f"event {event}"]] += times

    def serve_version(self, version: int) -> None:
        """Set the version that this worker serves."""
        self._values[_PLACES["version"]] = version

    def text(self, waiting: int) -> str:
        """Return the sum over all processes of this service, dead ones included; `waiting` decisions are unrolled."""
        total = self._total()
        lines = _head("thinfile_requests_total", "counter", "Answered requests by route and status")
        lines += [
            f'thinfile_requests_total{{route="{r}",status="{s}"}} {total[f"requests {r} {s}"]:.0f}'
            for r, s in _REQUESTS
            if total[f"requests {r} {s}"]
        ]
        lines += _head("thinfile_decisions_total", "counter", "Decisions")
        lines += [f'thinfile_decisions_total{{decision="{d}"}} {total[f"decisions {d}"]:.0f}' for d in DECISIONS]
        lines += _histogram([total[f"seconds {bound}"] for bound in (*BOUNDS, "+Inf")], total["seconds sum"])
        for event, meaning in EVENTS.items():
            name = f"thinfile_{event}_total"
            lines += [*_head(name, "counter", meaning), f"{name} {total[f'event {event}']:.0f}"]
        lines += _head("thinfile_journal_decisions", "gauge", "Decisions that are not in the score log yet")
        lines += [f"thinfile_journal_decisions {waiting}"]
        lines += _head("thinfile_workers", "gauge", "Living workers by the version they serve")
        lines += self._workers()
        return "\n".join(lines) + "\n"

    def total(self) -> dict[str, float]:
        """Return the decisions, in all and of each kind, and the events of all processes of this service."""
        total = self._total()
        decided = {decision: total[f"decisions {decision}"] for decision in DECISIONS}
        return {"decisions": sum(decided.values())} | decided | {event: total[f"event {event}"] for event in EVENTS}

    def _total(self) -> dict[str, float]:
        counters = [_read(path) for path in sorted(self.folder.glob("*.counters"))]
        return dict(zip(_NAMES, map(sum, zip(*counters, strict=True)), strict=True))

    def _workers(self) -> list[str]:
        versions: dict[int, int] = {}
        for path in self.folder.glob("*.counters"):
            version = int(_read(path)[_PLACES["version"]])
            if version and Path(f"/proc/{path.stem}").exists():
                versions[version] = versions.get(version, 0) + 1
        return [f'thinfile_workers{{version="{version}"}} {count}' for version, count in sorted(versions.items())]


def _read(path: Path) -> list[float]:
    return [float(value) for value in memoryview(path.read_bytes()).cast("d")]


def _head(name: str, kind: str, meaning: str) -> list[str]:
    return [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]


def _histogram(counts: Sequence[float], seconds: float) -> list[str]:
    name = "thinfile_decide_seconds"
    lines = _head(name, "histogram", "Seconds from a request's arrival to its answer, for decisions")
    for bound, count in zip((*BOUNDS, "+Inf"), accumulate(counts), strict=True):
        lines.append(f'{name}_bucket{{le="{bound}"}} {count:.0f}')
    return [*lines, f"{name}_sum {seconds:.6f}", f"{name}_count {sum(counts):.0f}"]
