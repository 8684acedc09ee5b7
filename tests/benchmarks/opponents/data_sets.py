"""The tables on which searches are compared; another one is a constant here and a line in `plan.py`."""

from dataclasses import dataclass
from pathlib import Path

TAIWAN_FILE = Path(__file__).resolve().parents[4] / "shared" / "data" / "taiwan_credit_cards.parquet"


@dataclass(frozen=True)
class DataSet:
    """A table as Thinfile's settings describe it; `{seed}` and `{folder}` in them are replaced.

    A seed draws a split of the same table, or a table of its own where `commands` make one in a workspace at `folder`.
    """

    name: str
    title: str
    settings: tuple[str, ...]
    """Of `thinfile tune`."""
    commands: tuple[tuple[str, ...], ...] = ()
    """Verbs with settings that make the table of a seed."""
    file: Path | None = None
    """That the table needs."""

    @property
    def missing(self) -> str | None:
        """Why the table cannot be used, None where it can."""
        return f"{self.file} does not exist" if self.file and not self.file.exists() else None

    @property
    def is_resampled(self) -> bool:
        """Whether the splits of different seeds share rows."""
        return not self.commands

    def settings_of(self, seed: int, folder: Path) -> list[str]:
        """Return the settings of `thinfile tune` for a seed."""
        return [word.format(seed=seed, folder=folder) for word in self.settings]

    def commands_of(self, seed: int, folder: Path) -> list[list[str]]:
        """Return the commands that make the table of a seed."""
        return [[*(word.format(seed=seed) for word in words), f"workspace={folder}"] for words in self.commands]


TAIWAN = DataSet(
    "taiwan",
    "Taiwan credit cards",
    (
        "data=table",
        f"data.path={TAIWAN_FILE}",
        "data.label='default payment next month'",
        "data.id=ID",
        "split.seed={seed}",
    ),
    file=TAIWAN_FILE,
)
GERMAN = DataSet("german", "German credit", ("data=german_credit", "split.seed={seed}"))
MARKETPLACE = DataSet(
    "marketplace",
    "simulated marketplace, out of time",
    ("data=marketplace", "data.path={folder}/lake/marketplace/training"),
    commands=(
        ("simulate", "seed={seed}", "customers=40000"),
        ("prepare", "loan=dpd30_at_3_mob", "loan.as_of=2026-01-01"),
    ),
)
