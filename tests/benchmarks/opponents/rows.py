"""Writes the rows of a split for the opponents: the development part as Thinfile draws it, then the test part."""

import json
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.cli import DATA, EXPERIMENTS, POLICY
from experiments.experiment.settings import TuneSettings
from pipelines.applications.applications import Applications, load_applications
from pipelines.applications.splits import Split, split_applications
from pipelines.candidates.registry import candidate_settings
from pipelines.command.hydra_application import Verb, run
from pipelines.command.verb import Outcome
from pipelines.storage.workspace import Workspace
from tests.benchmarks.opponents.data_sets import DataSet
from tests.evidence.commands import COMMAND

LABEL = "bad"


@dataclass(frozen=True)
class Rows:
    """The files of a split: `table` has features and label, `codes` numbers alone.

    `tested` and `bad` count the test part; `part` is the hash of its ids.
    """

    table: str
    codes: str
    development: int
    tested: int
    bad: int
    part: str


def rows_of(data: DataSet, seed: int, folder: Path) -> Rows:
    """Return the files of a split in a folder; they are written where they are missing."""
    summary = folder / "rows.json"
    if not summary.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for words in data.commands_of(seed, folder):
            subprocess.run([*COMMAND, *words], check=True, capture_output=True)
        words = [*data.settings_of(seed, folder), "candidate=scorecard", f"workspace={folder}"]
        verb = Verb("tune", TuneSettings, lambda settings: _write(settings, folder), DATA | POLICY | EXPERIMENTS,
                    choices=candidate_settings)  # fmt: skip
        assert run(verb, words) == 0
    return Rows(**json.loads(summary.read_text()))


def _write(settings: TuneSettings, folder: Path) -> Outcome:
    applications = load_applications(settings.data, Workspace.at(settings.workspace))
    rows = write_rows(applications, split_applications(applications, settings.split), folder)
    (folder / "rows.json").write_text(json.dumps(asdict(rows)))
    return Outcome(asdict(rows), summary=[f"{rows.development} and {rows.tested} rows in {folder}"])


def write_rows(applications: Applications, split: Split, folder: Path) -> Rows:
    """Write the rows of a split to a folder and return the files."""
    ordered = applications.take(np.concatenate([split.development, split.test]))
    features = pd.DataFrame({str(name): _as_stored(column) for name, column in ordered.features.items()})
    assert LABEL not in features
    table, codes = folder / "table.parquet", folder / "codes.parquet"
    features.assign(**{LABEL: ordered.outcomes}).to_parquet(table)
    _codes(features).assign(**{LABEL: ordered.outcomes}).to_parquet(codes)
    bad = int(applications.outcomes[split.test].sum())
    return Rows(str(table), str(codes), len(split.development), len(split.test), bad, split.test_part)


def _as_stored(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return whole numbers as integers, which programs may tell from measurements."""
    is_whole = pd.api.types.is_numeric_dtype(column) and (column % 1 == 0).all()
    return column.astype("int64") if is_whole else column


def _codes(features: pd.DataFrame) -> pd.DataFrame:
    """Return features of numbers alone: a category is the place of its name in the alphabet, or missing."""
    numbers = {name: column if pd.api.types.is_numeric_dtype(column) else _places(column)
               for name, column in features.items()}  # fmt: skip
    return pd.DataFrame(numbers).astype("float64")


def _places(column: "pd.Series[str]") -> "pd.Series[int]":
    codes, _ = pd.factorize(column.astype("string"), sort=True)
    return pd.Series(codes, column.index).where(codes >= 0)
