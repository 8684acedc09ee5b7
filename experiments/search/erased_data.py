"""Whether erasures explain that the data of a study are no longer those of its record."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.experiment.experiment import Experiment
from pipelines.applications.applications import Applications
from pipelines.erasures.record import Erasures, read_erasures
from pipelines.storage.workspace import Workspace


@dataclass(frozen=True)
class Erased:
    """Rows of a study's data that were erased, and the entries of the erasures that removed them."""

    rows: int
    entries: tuple[int, ...]

    def sentence(self, title: str) -> str:
        """Return the message that a run or version cannot be replayed."""
        entries = " and ".join(map(str, self.entries))
        source = (
            f"entr{'y' if len(self.entries) == 1 else 'ies'} {entries} of the erasures" if entries else "by their ids"
        )
        return (
            f"ERASED: {self.rows:,} rows of the data of {title} were erased since ({source}); nothing else was "
            "changed; its numbers cannot be computed again"
        )


def erased_since(recorded: Mapping[str, Any], experiment: Experiment) -> Erased | None:
    """Return the rows erased from an experiment's data since its record; None if that does not explain the difference.

    Erasures must lead from the recorded fingerprint to the present one, or the recorded fingerprint must be that of the
    table before erased rows were left out on reading.
    """
    erasures = read_erasures(Workspace.at(experiment.settings.workspace))
    if not erasures:
        return None
    entries = set[int]()
    for name, now in (("fingerprint", experiment.applications), ("asked", experiment.applicants)):
        if not _explained(str(recorded.get(name)), now, erasures, entries):
            return None
    rows = int(recorded["rows"]) - len(experiment.applications)
    return Erased(max(rows, 0), tuple(sorted(entries)))


def _explained(recorded: str, now: Applications | None, erasures: Erasures, entries: set[int]) -> bool:
    """Return whether erasures explain the present data, and add their entries."""
    if now is None or now.fingerprint == recorded:
        return True
    as_read = now.fingerprint_with_erased or now.fingerprint
    path = erasures.leads_to(recorded, as_read)
    entries |= {entry.sequence for entry in path}
    return bool(path) or as_read == recorded
