"""Experiments on tables in which it is known which features matter."""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.experiment.experiment import Experiment, resolve
from experiments.experiment.settings import TuneSettings
from pipelines.applications.settings import DataSettings, Source
from pipelines.candidates.families.scorecard import ScorecardSettings


def experiment_on(folder: Path, *, rows: int = 600, with_times: bool = False) -> Experiment:
    """Return an experiment whose outcomes depend on `signal` and its copy; `noise` and `shade` say nothing."""
    generator = np.random.default_rng(3)
    signal = generator.normal(size=rows)
    bad = generator.uniform(size=rows) < 1 / (1 + np.exp(1 - 2 * signal))
    table = pd.DataFrame(
        {
            "signal": signal,
            "copy": signal + generator.normal(scale=0.1, size=rows),
            "noise": generator.normal(size=rows),
            "shade": generator.choice(["dark", "light"], rows),
            "bad": bad.astype(int),
        }
    )
    if with_times:
        table["applied"] = pd.Timestamp("2022-01-01") + pd.to_timedelta(np.arange(rows) * 24 * 730 // rows, "h")
    path = folder / "table.csv"
    table.to_csv(path, index=False)
    data = DataSettings(source=Source.table, path=str(path), label="bad", time="applied" if with_times else None)
    settings = TuneSettings(workspace=str(folder / "workspace"), data=data, candidate=ScorecardSettings(), threads=1)
    return resolve(settings)
