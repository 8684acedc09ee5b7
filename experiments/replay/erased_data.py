"""Whether data is other than it was because people were erased from it, and for no other reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.experiment.experiment import Experiment
from pipelines.applications.applications import Applications
from pipelines.erasures.record import Erasures, read_erasures
from pipelines.storage.workspace import Workspace


@dataclass(frozen=True)
class Erased:
    """Rows that a study learnt from or asked about and that are gone, by the entries of the erasures that say so."""

    rows: int
    entries: tuple[int, ...]

    def sentence(self, title: str) -> str:
        """Return in words that something cannot be made again."""
        entries = " and ".join(map(str, self.entries))
        told = (
            f"entr{'y' if len(self.entries) == 1 else 'ies'} {entries} of the erasures" if entries else "by their ids"
        )
        return (
            f"ERASED: {self.rows:,} rows of the data of {title} were erased since ({told}); nothing else of it was "
            "changed, its numbers cannot be made again"
        )


def erased_since(recorded: Mapping[str, Any], experiment: Experiment) -> Erased | None:
    """Return what was erased from an experiment's data since it was recorded; None where that does not explain it all.

    The fingerprint that was recorded must be the one from which the erasures lead to the data as it is now, or that of
    the table with the rows that were left out when it was read.
    """
    erasures = read_erasures(Workspace.at(experiment.settings.workspace))
    if not erasures:
        return None
    entries = set[int]()
    for name, now in (("fingerprint", experiment.applications), ("asked", experiment.asked)):
        if not _explained(str(recorded.get(name)), now, erasures, entries):
            return None
    rows = int(recorded["rows"]) - len(experiment.applications)
    return Erased(max(rows, 0), tuple(sorted(entries)))


def _explained(recorded: str, now: Applications | None, erasures: Erasures, entries: set[int]) -> bool:
    """Return whether the erasures explain what data is now, and add those that do."""
    if now is None or now.fingerprint == recorded:
        return True
    as_read = now.fingerprint_with_erased or now.fingerprint
    path = erasures.leads_to(recorded, as_read)
    entries |= {entry.sequence for entry in path}
    return bool(path) or as_read == recorded
