"""Fits a candidate and its calibration map; the map is fitted on held-out predictions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.applications.meanings import default_meaning
from pipelines.applications.splits import Fold
from pipelines.candidates.averaged_scores import Averaged, fit_averaged, of_single_models, variance_ratio
from pipelines.candidates.calibration_map import fit_calibration
from pipelines.candidates.candidate import Candidate
from pipelines.candidates.portable_model import Levels, Model, levels_of
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import CalibrationMethod
from pipelines.errors import DataError
from pipelines.reading.special import code_column, code_columns
from pipelines.storage.side_by_side import side_by_side, threads_of_each


@dataclass(frozen=True)
class TrainedModel:
    """A fitted, calibrated candidate: what it answers with, and how its files are written."""

    model: Model
    candidate: Candidate

    def save(self, folder: Path) -> None:
        """Write the model's files into an empty folder."""
        extra = self.candidate.save(self.model.scorer, folder)
        (folder / "model.json").write_text(json.dumps({**self.model.card, **extra}, indent=1, sort_keys=True))


def check_features(sample: Sample) -> None:
    """Raise DataError when there is nothing to learn from: no features, or only such as are the same in every row."""
    columns = (sample.columns[name] for name in (*sample.numeric, *sample.categorical))
    if not any(pd.Series(values).nunique(dropna=False) > 1 for values in columns):
        raise DataError(
            "a model needs a feature that differs between applications, "
            f"received {len(sample.numeric) + len(sample.categorical)} features and none that does; "
            "declare more in data.numeric or data.categorical"
        )


def held_out_log_odds(
    candidate: Candidate, sample: Sample, folds: Sequence[Fold], *, seed: int, threads: int
) -> list[NDArray[np.float64]]:
    """Return, per fold, the log-odds of its held-out rows from a model fitted without them.

    Single models are fitted in place of averages, so that an average costs no more than a single model. Their ranking
    is a little worse than that of the average.
    """
    sample, each = of_single_models(sample), threads_of_each(len(folds), threads)

    def scores_of(fold: Fold) -> NDArray[np.float64]:
        scorer = candidate.fit(sample.take(fold.fit), seed=seed, threads=each)
        return np.asarray(scorer.log_odds(sample.take(fold.held_out).columns))

    return list(side_by_side([partial(scores_of, fold) for fold in folds], threads))


def train(
    candidate: Candidate,
    sample: Sample,
    folds: Sequence[Fold],
    calibration: CalibrationMethod,
    *,
    seed: int,
    threads: int,
    held_out: Sequence[NDArray[np.float64]] | None = None,
) -> TrainedModel:
    """Fit a candidate on all rows of a sample, with a calibration map fitted on its held-out predictions.

    `held_out` are the log-odds of each fold's held-out rows where they are known already (see `held_out_log_odds`).
    """
    check_features(sample)
    scorer = candidate.fit(sample, seed=seed, threads=threads)
    if held_out is None:
        held_out = held_out_log_odds(candidate, sample, folds, seed=seed, threads=threads)
    outcomes = np.concatenate([sample.bad[fold.held_out] for fold in folds])
    weights = None if sample.weights is None else np.concatenate([sample.weights[fold.held_out] for fold in folds])
    scores = np.concatenate(held_out)
    if isinstance(scorer, Averaged) and scorer.members > 1:
        ratio = variance_ratio(candidate, sample, folds, scorer.members, seed=seed, threads=threads)
        mapped = fit_averaged(scores, outcomes, calibration, weights, ratio)
    else:
        mapped = fit_calibration(scores, outcomes, calibration, weights)
    return TrainedModel(Model(_card(candidate, sample, mapped), scorer), candidate)


def _card(candidate: Candidate, sample: Sample, calibration: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "family": candidate.family,
        "numeric": list(sample.numeric),
        "categorical": list(sample.categorical),
        "calibration": dict(calibration),
        "reading": sample.reading,
        "known_levels": {name: _levels(sample.columns[name]) for name in sample.categorical},
        "meanings": {name: _described(name, sample) for name in (*sample.numeric, *sample.categorical)},
    }


def _levels(values: Any) -> list[str]:
    """Return the levels that a categorical column had, sorted."""
    coded = values if isinstance(values, Levels) else levels_of(values)
    return sorted(coded.names[code] for code in np.unique(coded.codes[coded.codes >= 0]))


def _described(name: str, sample: Sample) -> dict[str, str | float | None]:
    """Return what a reason needs to know of a feature: its meaning, its group, and its usual value where there is one.

    That is the median of a number and the most frequent level of a category, over the rows that were learnt from.
    """
    meaning = sample.meanings.get(name) or default_meaning(name)
    values: pd.Series[Any] = pd.Series(sample.columns[name]).dropna()
    described: dict[str, str | float | None] = {"meaning": meaning.meaning, "group": meaning.group, "usual": None}
    if len(values):
        usual = float(values.median()) if name in sample.numeric else str(values.mode().iloc[0])
        described["usual"] = usual
    codes = code_columns(sample.special)
    code = name if name in codes else code_column(name)
    if code in codes and code in sample.categorical:
        described["code"] = code
    return described
