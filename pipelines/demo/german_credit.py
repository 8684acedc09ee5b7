"""The data of the demo on German credit: part of it is held back as two production periods."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.applications.sources import german_credit_path
from pipelines.command.verb import override
from pipelines.demo.runner import Runner
from pipelines.demo.settings import DemoData, DemoSettings
from pipelines.reading.frames import read_frame
from pipelines.reading.settings import ReadingSettings
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.workspace import Workspace

RANDOM, SELECTED = "2026-01", "2026-02"
PERIOD_ROWS = 100
DEVELOPMENT_ROWS = 600
LONG_TERM_MONTHS = 24
LONG_TERM_WEIGHT = 30.0

DRAWN = {
    RANDOM: f"{PERIOD_ROWS} of the held-back applications, each as likely as any other",
    SELECTED: (
        f"{PERIOD_ROWS} of the remaining ones, those for more than {LONG_TERM_MONTHS} months "
        f"{LONG_TERM_WEIGHT:.0f} times as likely: a known drift"
    ),
}


@dataclass(frozen=True)
class Draw:
    """Rows of the German data: for development, and for the two production periods."""

    development: pd.DataFrame
    periods: dict[str, pd.DataFrame]


def german_credit_data(settings: DemoSettings, workspace: Workspace, _: Runner) -> DemoData:
    """Write the development part and the two periods."""
    folder = workspace.lake / "demo"
    _write(draw_periods(settings.seed), folder)
    identity = ("data.id=application_id",)
    return DemoData(
        opening=f"{DEVELOPMENT_ROWS} real applications for development; the two periods are drawn from the rest:",
        model="demo_german_credit",
        data=("data=german_credit", *identity, override("data.path", str(folder / "development.parquet"))),
        identity=identity,
        periods=DRAWN,
        files={period: folder / f"{period}.parquet" for period in DRAWN},
        trials=12,
    )


def draw_periods(seed: int) -> Draw:
    """Return a random part for development and two production periods: one at random, one with a known selection."""
    table = read_frame(german_credit_path(), ReadingSettings(), german_credit_path().parent).rows
    table.insert(0, "application_id", [f"G{row:04d}" for row in range(1, len(table) + 1)])
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(table))
    development, held_back = np.split(order, [DEVELOPMENT_ROWS])
    at_random, rest = np.split(held_back, [PERIOD_ROWS])
    is_long = table["duration_in_month"].to_numpy()[rest] > LONG_TERM_MONTHS
    weight = np.where(is_long, LONG_TERM_WEIGHT, 1.0)
    selected = generator.choice(rest, PERIOD_ROWS, replace=False, p=weight / weight.sum())
    unlabelled = table.drop(columns="creditability")
    periods = {RANDOM: unlabelled.iloc[np.sort(at_random)], SELECTED: unlabelled.iloc[np.sort(selected)]}
    return Draw(table.iloc[np.sort(development)], periods)


def _write(draw: Draw, folder: Path) -> None:
    for name, rows in {"development": draw.development, **draw.periods}.items():
        with whole_file(folder / f"{name}.parquet") as temporary:
            rows.to_parquet(temporary, index=False)
