"""The part of a model that travels: loads the files of a fitted candidate and answers with the probability of bad.

This file is logged with every model and runs where our packages do not exist, so it imports none of them. Training uses
the same functions: what was measured is what is served.

A model is a folder of files without pickle:
    model.json       family, columns, calibration map
    scorecard.json   bins and weights            (scorecard)
    model.cbm        CatBoost's own format       (catboost)
    trees.npz        trees as plain arrays       (hist_gradient_boosting)
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_LOG_ODDS = 30.0
"""No answer is surer than this, about one in 10^13: a probability is never 0 or 1."""

LARGEST = float(np.finfo(np.float32).max)
"""CatBoost and the tree that cuts a scorecard's bins read single precision; larger numbers count as this one."""
Columns = Mapping[str, NDArray[Any]]
"""Numeric columns as float64 with NaN for missing, categorical ones as objects: text, or None for missing."""


class Scorer(Protocol):
    """A fitted family: log-odds of bad, before calibration, shape (n,)."""

    def log_odds(self, columns: Columns) -> Floats:
        """Return the log-odds of bad for columns of length n."""


class Scorecard:
    """Weights of evidence per bin, one coefficient per column."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.table = table

    def log_odds(self, columns: Columns) -> Floats:
        """Add up coefficient times weight of evidence over the columns."""
        total = np.full(len(next(iter(columns.values()))), float(self.table["intercept"]))
        for column in self.table["columns"]:
            total += column["coefficient"] * weights_of_evidence(column, columns[column["name"]])
        return total


def weights_of_evidence(column: Mapping[str, Any], values: NDArray[Any]) -> Floats:
    """Return the weight of evidence of each value's bin; an unseen level weighs nothing.

    Bins of a numeric column are closed on the right; the first weight is that of missing values.
    """
    if "edges" in column:
        numbers = values.astype(np.float64)
        positions = 1 + np.searchsorted(np.asarray(column["edges"], dtype=np.float64), numbers, side="left")
        return np.asarray(column["weights"], dtype=np.float64)[np.where(np.isnan(numbers), 0, positions)]
    known: dict[str | None, float] = {level: column["weights"][place] for level, place in column["levels"].items()}
    known[None] = column["weights"][0]
    return np.array([known.get(level, 0.0) for level in values], dtype=np.float64)


class CatBoost:
    """CatBoost's oblivious trees; missing categories are a level of their own."""

    MISSING = "(missing)"

    def __init__(self, model: Any, numeric: Sequence[str], categorical: Sequence[str], threads: int = -1) -> None:
        self.model, self.numeric, self.categorical, self.threads = model, numeric, categorical, threads

    @classmethod
    def load(cls, folder: Path, card: Mapping[str, Any]) -> "CatBoost":
        """Load the model from CatBoost's own format."""
        from catboost import CatBoost as Model

        return cls(Model().load_model(str(folder / "model.cbm")), card["numeric"], card["categorical"])

    def log_odds(self, columns: Columns) -> Floats:
        """Return the sum over the trees."""
        data = self.arrange(columns, self.numeric, self.categorical)
        return np.asarray(self.model.predict(data, prediction_type="RawFormulaVal", thread_count=self.threads))

    @classmethod
    def arrange(cls, columns: Columns, numeric: Sequence[str], categorical: Sequence[str], bad: Any = None) -> Any:
        """Return columns, and outcomes to learn from, as CatBoost takes them: float32 numbers and encoded text."""
        from catboost import FeaturesData, Pool

        rows = len(next(iter(columns.values())))
        numbers = np.empty((rows, len(numeric)), dtype=np.float32)
        levels = np.empty((rows, len(categorical)), dtype=object)
        for place, name in enumerate(numeric):
            numbers[:, place] = np.clip(columns[name], -LARGEST, LARGEST)
        for place, name in enumerate(categorical):
            levels[:, place] = [(cls.MISSING if level is None else level).encode() for level in columns[name]]
        features = FeaturesData(
            num_feature_data=numbers if numeric else None,
            cat_feature_data=levels if categorical else None,
            num_feature_names=list(numeric) or None,
            cat_feature_names=list(categorical) or None,
        )
        return Pool(features, label=bad)


class HistGradientBoosting:
    """scikit-learn's trees as plain arrays, one row per node; levels are numbered, unseen and missing ones are missing.

    `root` holds the first node of each tree. A node has a `feature` (-1 for a leaf with its `value`), a `left` and a
    `right` child; a value goes left up to the node's `threshold`, or as row `table` of `tables` says for its level.
    """

    MISSING_LEVEL = 256

    def __init__(
        self, trees: Mapping[str, NDArray[Any]], numeric: Sequence[str], levels: Mapping[str, Sequence[str]]
    ) -> None:
        self.trees, self.numeric, self.levels = trees, numeric, levels

    @classmethod
    def load(cls, folder: Path, card: Mapping[str, Any]) -> "HistGradientBoosting":
        """Load the arrays."""
        with np.load(folder / "trees.npz", allow_pickle=False) as stored:
            trees = {name: stored[name] for name in stored.files}
        return cls(trees, card["numeric"], {name: card["levels"][name] for name in card["categorical"]})

    def log_odds(self, columns: Columns) -> Floats:
        """Return the sum over the trees, bit for bit that of scikit-learn."""
        inputs = self._inputs(columns)
        names = ("feature", "left", "right", "threshold", "value", "table", "missing_left")
        feature, left, right, threshold, value, table, missing_left = (self.trees[name].tolist() for name in names)
        tables = self.trees["tables"]

        def answer(node: int) -> Any:
            if feature[node] < 0:
                return value[node]
            x = inputs[feature[node]]
            if table[node] >= 0:
                goes_left = tables[table[node]][x]
            elif missing_left[node]:
                goes_left = ~(x > threshold[node])  # true for missing values
            else:
                goes_left = x <= threshold[node]
            return np.where(goes_left, answer(left[node]), answer(right[node]))

        total = np.full(len(inputs[0]), float(self.trees["baseline"]))
        for root in self.trees["root"].tolist():
            total += answer(root)
        return total

    def _inputs(self, columns: Columns) -> list[NDArray[Any]]:
        inputs: list[NDArray[Any]] = [np.asarray(columns[name], dtype=np.float64) for name in self.numeric]
        for name, known in self.levels.items():
            number = {level: place for place, level in enumerate(known)}
            inputs.append(np.array([number.get(level, self.MISSING_LEVEL) for level in columns[name]], dtype=np.intp))
        return inputs


def calibrate(log_odds: Floats, calibration: Mapping[str, Any]) -> Floats:
    """Return probabilities of bad for raw log-odds through a calibration map, shape (n,)."""
    if calibration["method"] == "isotonic":
        return np.asarray(np.interp(log_odds, calibration["log_odds"], calibration["probability"]))
    logit = np.clip(calibration["intercept"] + calibration["slope"] * log_odds, -MOST_LOG_ODDS, MOST_LOG_ODDS)
    return np.asarray(1.0 / (1.0 + np.exp(-logit)))


class Model:
    """A calibrated model: columns in, probability of bad out."""

    def __init__(self, card: Mapping[str, Any], scorer: Scorer) -> None:
        self.card, self.scorer = card, scorer

    @property
    def numeric(self) -> list[str]:
        """Names of the numeric columns."""
        return list(self.card["numeric"])

    @property
    def categorical(self) -> list[str]:
        """Names of the categorical columns."""
        return list(self.card["categorical"])

    def log_odds(self, columns: Columns) -> Floats:
        """Return raw log-odds of bad, shape (n,). Raises ValueError for infinite numbers."""
        for name in self.numeric:
            if np.isinf(columns[name]).any():
                raise ValueError(
                    f"numbers must be finite, column '{name}' holds infinite ones; clean or reject these rows"
                )
        return self.scorer.log_odds(columns)

    def probability_of_bad(self, columns: Columns) -> Floats:
        """Return calibrated probabilities of bad, shape (n,)."""
        return calibrate(self.log_odds(columns), self.card["calibration"])


def load(folder: Path) -> Model:
    """Load the model that lies in a folder."""
    card = json.loads((folder / "model.json").read_text())
    loaders: dict[str, Callable[[], Scorer]] = {
        "scorecard": lambda: Scorecard(json.loads((folder / "scorecard.json").read_text())),
        "catboost": lambda: CatBoost.load(folder, card),
        "hist_gradient_boosting": lambda: HistGradientBoosting.load(folder, card),
    }
    return Model(card, loaders[card["family"]]())


def columns_of(frame: Any, numeric: Sequence[str], categorical: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return the columns of a pandas frame as arrays: numbers as float64, levels as text or None."""
    numbers = {name: frame[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in numeric}
    levels = {name: frame[name].astype(object).where(frame[name].notna(), None).to_numpy() for name in categorical}
    return numbers | levels


def pyfunc_model() -> Any:
    """Return the model as MLflow loads it: its `predict` takes a frame and returns probabilities of bad."""
    import mlflow.pyfunc
    import pandas as pd

    class ServedModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]
        def load_context(self, context: Any) -> None:
            self.model = load(Path(context.artifacts["model"]))

        def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Floats:  # noqa: ARG002
            columns = columns_of(model_input, self.model.numeric, self.model.categorical)
            return self.model.probability_of_bad(columns)

    return ServedModel()
