"""What was measured, one JSON line each, written as soon as it is known: a benchmark that is stopped goes on later."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Measured:
    """One search: `wall` is the seconds of its process from start to end, `cpu` those that the cores worked for it.

    `auc` is None where it failed. `busy_before` and `others` are the cores that other processes used before and while
    it ran. `shared` is the number of rows of the test part over that of the development part, `part` the hash of the
    ids of the former.
    """

    data: str
    seed: int
    seconds: int
    system: str
    code: str
    auc: float | None
    wall: float
    cpu: float
    busy_before: float
    others: float
    shared: float
    part: str
    at: str
    machine: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int, int, str]:
        """What was to be measured."""
        return self.data, self.seed, self.seconds, self.system


def read_measured(path: Path) -> Iterator[Measured]:
    """Yield the lines of a file; a last line that was cut off is left out."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    for line in lines:
        if line.endswith("\n"):
            yield Measured(**json.loads(line))


def append(path: Path, measured: Measured) -> None:
    """Add a line to a file; one that was cut off before it is ended."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        file.seek(0)
        text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        if len(whole) < len(text):
            file.truncate(len(whole))
        file.write(json.dumps(asdict(measured)).encode() + b"\n")
