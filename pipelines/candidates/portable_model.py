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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, reduce
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_LOG_ODDS = 30.0
"""No answer is surer than this, about one in 10^13: a probability is never 0 or 1."""

FEW_ROWS = 1000
"""For fewer rows it takes longer to share the work among threads than to do it."""

LARGEST = float(np.finfo(np.float32).max)
"""CatBoost and the tree that cuts a scorecard's bins read single precision; larger numbers count as this one."""


@dataclass(frozen=True)
class Levels:
    """A text column as numbers: `codes`, shape (n,), point into `names`; -1 is missing."""

    codes: NDArray[np.integer[Any]]
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.codes)


Columns = Mapping[str, Any]
"""Numeric columns as float64 or float32 with NaN for missing; categorical ones as `Levels`, or as objects: text, or
None for missing."""

Contributions = tuple[float, Mapping[str, Floats]]
"""A base that all share, and what each feature adds to it, shape (n,); they sum to the log-odds of bad.

An answer of a row does not depend on the rows beside it, to the last bit. A feature that is not named adds nothing.
"""


class Scorer(Protocol):
    """A fitted family: log-odds of bad, before calibration, shape (n,), and what they are made of."""

    def log_odds(self, columns: Columns) -> Floats:
        """Return the log-odds of bad for columns of length n."""

    def contributions(self, columns: Columns) -> Contributions:
        """Return what the log-odds are made of, by feature."""


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

    def contributions(self, columns: Columns) -> Contributions:
        """Return coefficient times what the weight of evidence is above its mean over the rows it was learnt from."""
        base, found = float(self.table["intercept"]), {}
        for column in self.table["columns"]:
            usual = float(np.average(column["weights"], weights=column["rows"]))
            base += column["coefficient"] * usual
            weights = weights_of_evidence(column, columns[column["name"]])
            found[column["name"]] = column["coefficient"] * (weights - usual)
        return base, found


def weights_of_evidence(column: Mapping[str, Any], values: Any) -> Floats:
    """Return the weight of evidence of each value's bin; an unseen level weighs nothing.

    Bins of a numeric column are closed on the right; the first weight is that of missing values.
    """
    if "edges" in column:
        numbers = values.astype(np.float64)
        positions = 1 + np.searchsorted(np.asarray(column["edges"], dtype=np.float64), numbers, side="left")
        return np.asarray(column["weights"], dtype=np.float64)[np.where(np.isnan(numbers), 0, positions)]
    known: dict[str | None, float] = {level: column["weights"][place] for level, place in column["levels"].items()}
    known[None] = column["weights"][0]
    return looked_up(known, 0.0, values).astype(np.float64)


def looked_up(known: Mapping[str | None, float], otherwise: float, values: Any) -> NDArray[Any]:
    """Return what is known of each level of a column, None being missing, shape (n,)."""
    if isinstance(values, Levels):
        table = np.array([known.get(name, otherwise) for name in (*values.names, None)])
        return np.asarray(table[values.codes])
    return np.array([known.get(level, otherwise) for level in values])


class CatBoost:
    """CatBoost's oblivious trees; missing categories are a level of their own."""

    MISSING = "(missing)"

    def __init__(self, model: Any, numeric: Sequence[str], categorical: Sequence[str], threads: int = -1) -> None:
        self.model, self.numeric, self.categorical, self.threads = model, numeric, categorical, threads

    @classmethod
    def load(cls, folder: Path, card: Mapping[str, Any], threads: int = -1) -> "CatBoost":
        """Load the model from CatBoost's own format."""
        from catboost import CatBoost as Model

        return cls(Model().load_model(str(folder / "model.cbm")), card["numeric"], card["categorical"], threads)

    def log_odds(self, columns: Columns) -> Floats:
        """Return the sum over the trees."""
        data = self.arrange(columns, self.numeric, self.categorical)
        return np.asarray(self.model.predict(data, prediction_type="RawFormulaVal", thread_count=self._threads(data)))

    def leaves(self, columns: Columns) -> NDArray[np.uint32]:
        """Return the leaf that each row reaches in each tree, shape (n, trees)."""
        data = self.arrange(columns, self.numeric, self.categorical)
        return np.asarray(self.model.calc_leaf_indexes(data, thread_count=self._threads(data)))

    def log_odds_of(self, leaves: NDArray[np.uint32]) -> Floats:
        """Return the sum over the trees of rows whose leaves are known, shape (n, trees), bit for bit that of CatBoost.

        Trees are added in their order, as CatBoost does it.
        """
        starts, values, scale, bias = self._leaf_values
        return np.asarray(np.add.accumulate(values[starts + leaves], axis=1)[:, -1] * scale + bias)

    @cached_property
    def _leaf_values(self) -> tuple[NDArray[np.int64], Floats, float, float]:
        """Where each tree's leaves begin among all values, the values, and the scale and the bias of their sum."""
        counts = np.asarray(self.model.get_tree_leaf_counts(), dtype=np.int64)
        scale, bias = self.model.get_scale_and_bias()
        return np.cumsum(counts) - counts, np.asarray(self.model.get_leaf_values()), float(scale), float(bias)

    def _threads(self, data: Any) -> int:
        """Return how many threads answer; for a few rows it takes longer to start a second one than to do without."""
        return 1 if data.num_row() < FEW_ROWS else self.threads

    def contributions(self, columns: Columns) -> Contributions:
        """Return CatBoost's own exact Shapley values; what is unknown follows the rows that a tree was learnt from."""
        names = [*self.numeric, *self.categorical]
        if not len(columns[names[0]]):  # CatBoost refuses to explain nothing
            return 0.0, {}
        data = self.arrange(columns, self.numeric, self.categorical)
        found = self.model.get_feature_importance(data=data, type="ShapValues", thread_count=self.threads)
        return float(found[0, -1]), dict(zip(names, found.T, strict=False))

    @classmethod
    def arrange(cls, columns: Columns, numeric: Sequence[str], categorical: Sequence[str], bad: Any = None) -> Any:
        """Return columns, and outcomes to learn from, as CatBoost takes them: float32 numbers and encoded text."""
        from catboost import FeaturesData, Pool

        if any(isinstance(columns[name], Levels) for name in categorical):
            return cls._arrange_coded(columns, numeric, categorical)
        rows = len(next(iter(columns.values())))
        numbers = np.empty((rows, len(numeric)))
        levels = np.empty((rows, len(categorical)), dtype=object)
        for place, name in enumerate(numeric):
            numbers[:, place] = columns[name]
        for place, name in enumerate(categorical):
            levels[:, place] = [(cls.MISSING if level is None else level).encode() for level in columns[name]]
        features = FeaturesData(
            num_feature_data=_single(numbers) if numeric else None,
            cat_feature_data=levels if categorical else None,
            num_feature_names=list(numeric) or None,
            cat_feature_names=list(categorical) or None,
        )
        return Pool(features, label=bad, thread_count=1 if rows < FEW_ROWS else -1)

    @classmethod
    def _arrange_coded(cls, columns: Columns, numeric: Sequence[str], categorical: Sequence[str]) -> Any:
        """Return columns whose levels are numbers already: CatBoost then reads each name once, and no row's text."""
        import pandas as pd
        from catboost import Pool

        arranged: dict[str, Any] = {name: _single(columns[name]) for name in numeric}
        for name in categorical:
            coded = columns[name] if isinstance(columns[name], Levels) else levels_of(columns[name])
            names, codes = list(coded.names), coded.codes
            if len(codes) and codes.min() < 0:
                names = list(dict.fromkeys([*names, cls.MISSING]))
                codes = np.where(codes < 0, names.index(cls.MISSING), codes)
            arranged[name] = pd.Categorical.from_codes(codes, pd.Index(names, dtype=object))
        return Pool(pd.DataFrame(arranged, copy=False), cat_features=list(categorical), thread_count=1)


def _single(numbers: NDArray[Any]) -> NDArray[np.float32]:
    """Return numbers in single precision; larger ones than that holds count as its largest."""
    if numbers.dtype == np.float32:
        return numbers
    single: NDArray[np.float32] = np.clip(numbers, -LARGEST, LARGEST).astype(np.float32)
    return single


def levels_of(texts: Any) -> Levels:
    """Return a column of texts, None being missing, as numbers."""
    names = sorted({text for text in texts if text is not None})
    place: dict[str | None, int] = {name: number for number, name in enumerate(names)}
    return Levels(np.array([place.get(text, -1) for text in texts], dtype=np.int32), names)


class HistGradientBoosting:
    """scikit-learn's trees as plain arrays, one row per node; levels are numbered, unseen and missing ones are missing.

    `root` holds the first node of each tree. A node has a `feature` (-1 for a leaf with its `value`), a `left` and a
    `right` child; a value goes left up to the node's `threshold`, or as row `table` of `tables` says for its level.
    """

    MISSING_LEVEL = 256
    ONE_BY_ONE = 4
    """So few rows go down all trees at once, each by itself; more go down one tree after the other, all at once."""

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
        if len(inputs[0]) <= self.ONE_BY_ONE:
            return np.array([self._of_row(np.array(row, dtype=np.float64)) for row in zip(*inputs, strict=True)])
        goes_left = self._question(inputs)
        feature, left, right, value = (self.trees[name].tolist() for name in ("feature", "left", "right", "value"))

        def answer(node: int) -> Any:
            if feature[node] < 0:
                return value[node]
            return np.where(goes_left(node), answer(left[node]), answer(right[node]))

        total = np.full(len(inputs[0]), float(self.trees["baseline"]))
        for root in self.trees["root"].tolist():
            total += answer(root)
        return total

    def _of_row(self, row: Floats) -> float:
        """Return the sum over the trees for one row's inputs, shape (features,), added in the order of the trees."""
        trees, node = self.trees, self.trees["root"]
        while (trees["feature"][node] >= 0).any():
            x, table = row[trees["feature"][node]], trees["table"][node]
            # What compares false, a missing number, goes left where the node says so.
            is_left = np.where(
                trees["missing_left"][node], ~(x > trees["threshold"][node]), x <= trees["threshold"][node]
            )
            if (table >= 0).any():
                of_level = table >= 0
                is_left[of_level] = trees["tables"][table[of_level], x[of_level].astype(np.intp)]
            below = np.where(is_left, trees["left"][node], trees["right"][node])
            node = np.where(trees["feature"][node] < 0, node, below)
        return float(np.add.accumulate([float(trees["baseline"]), *trees["value"][node]])[-1])

    def contributions(self, columns: Columns) -> Contributions:
        """Return exact Shapley values of the trees (path-dependent TreeSHAP; Lundberg, Erion and Lee 2018).

        What is expected where a feature is unknown follows the rows that each branch was learnt from. Raises ValueError
        when the file does not tell them.
        """
        if "count" not in self.trees:
            raise ValueError(
                "contributions need to know how many rows each node was learnt from, trees.npz does not tell; "
                "fit the model again"
            )
        inputs = self._inputs(columns)
        base, found = float(self.trees["baseline"]), np.zeros((len(inputs), len(inputs[0])))
        for value, features, expected, is_met in self._leaves(inputs):
            base += value * float(np.prod(expected))
            if features:
                found[features] += value * shares_of_conditions(is_met, expected)
        return base, dict(zip([*self.numeric, *self.levels], found, strict=True))

    def _leaves(self, inputs: list[NDArray[Any]]) -> Iterator[tuple[float, list[int], Floats, NDArray[np.bool_]]]:
        """Yield each leaf's value, the features that lead to it, and of each: the share of rows that pass, and who."""
        names = ("feature", "left", "right", "value", "count")
        feature, left, right, value, count = (self.trees[name].tolist() for name in names)
        goes_left = self._question(inputs)

        def below(node: int, path: dict[int, tuple[float, Any]]) -> Iterator[tuple[float, dict[int, Any]]]:
            if feature[node] < 0:
                yield value[node], path
                return
            is_left, (share, passed) = goes_left(node), path.get(feature[node], (1.0, True))
            for child, goes_there in ((left[node], is_left), (right[node], ~is_left)):
                step = {feature[node]: (share * count[child] / count[node], passed & goes_there)}
                yield from below(child, path | step)

        for root in self.trees["root"].tolist():
            for told, path in below(root, {}):
                shares, passed = zip(*path.values(), strict=True) if path else ((), ())
                yield told, list(path), np.array(shares), np.array(passed)

    def _question(self, inputs: list[NDArray[Any]]) -> Callable[[int], NDArray[np.bool_]]:
        """Return a function that says of a node which rows go to its left child."""
        names = ("feature", "threshold", "table", "missing_left")
        feature, threshold, table, missing_left = (self.trees[name].tolist() for name in names)
        tables = self.trees["tables"]

        def goes_left(node: int) -> NDArray[np.bool_]:
            x = inputs[feature[node]]
            if table[node] >= 0:
                return np.asarray(tables[table[node]][x])
            if missing_left[node]:
                return np.asarray(~(x > threshold[node]))  # true for missing values
            return np.asarray(x <= threshold[node])

        return goes_left

    def _inputs(self, columns: Columns) -> list[NDArray[Any]]:
        inputs: list[NDArray[Any]] = [np.asarray(columns[name], dtype=np.float64) for name in self.numeric]
        for name, known in self.levels.items():
            number: dict[str | None, float] = {level: place for place, level in enumerate(known)}
            inputs.append(looked_up(number, self.MISSING_LEVEL, columns[name]).astype(np.intp))
        return inputs


def shares_of_conditions(is_met: NDArray[np.bool_], expected: Floats) -> Floats:
    """Return the Shapley value of each of m conditions for n rows, shape (m, n), of an outcome that needs all of them.

    Of a coalition the known conditions count as they are met, shape (m, n), the others as `expected`, shape (m,). The
    weights of coalitions are Beta integrals, so that condition k gets

        (met_k - expected_k) times the integral from 0 to 1 of prod_{j != k} (t met_j + (1 - t) expected_j) dt,

    a polynomial that Gauss-Legendre quadrature integrates exactly; no term is negative, so nothing cancels.
    """
    conditions, rows = is_met.shape
    if 2**conditions < rows:  # few patterns, many rows
        bits = np.arange(conditions)[:, None]
        pattern = np.left_shift(is_met, bits).sum(axis=0)
        every = (np.arange(2**conditions) >> bits & 1).astype(bool)
        return shares_of_conditions(every, expected)[:, pattern]
    unknown = expected[:, None]
    total = np.zeros(is_met.shape)
    for t, weight in zip(*_quadrature((conditions + 1) // 2), strict=True):
        factors = t * is_met + (1 - t) * unknown
        total += weight * reduce(np.multiply, factors) / factors  # in the order of the conditions, whatever the rows
    return (is_met - unknown) * total


@cache
def _quadrature(nodes: int) -> tuple[list[float], list[float]]:
    """Return points and weights that integrate polynomials of degree 2 nodes - 1 from 0 to 1."""
    points, weights = np.polynomial.legendre.leggauss(nodes)
    return ((points + 1) / 2).tolist(), (weights / 2).tolist()


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
        self.check_finite(columns)
        return self.scorer.log_odds(columns)

    def contributions(self, columns: Columns) -> tuple[float, Floats]:
        """Return a base and what each feature adds to it, shape (n, features), numeric ones first.

        They sum to the raw log-odds. Raises ValueError for infinite numbers.
        """
        self.check_finite(columns)
        base, found = self.scorer.contributions(columns)
        nothing = np.zeros(len(next(iter(columns.values()))))
        return base, np.column_stack([found.get(name, nothing) for name in (*self.numeric, *self.categorical)])

    def check_finite(self, columns: Columns) -> None:
        """Raise ValueError for infinite numbers."""
        numbers = [columns[name] for name in self.numeric]
        if numbers and len(numbers[0]) < FEW_ROWS and not np.isinf(np.concatenate(numbers)).any():
            return
        for name, values in zip(self.numeric, numbers, strict=True):
            if np.isinf(values).any():
                raise ValueError(
                    f"numbers must be finite, column '{name}' holds infinite ones; clean or reject these rows"
                )

    def probability_of_bad(self, columns: Columns) -> Floats:
        """Return calibrated probabilities of bad, shape (n,)."""
        return self.answers(columns)[1]

    def answers(self, columns: Columns) -> tuple[Floats, Floats]:
        """Return raw log-odds and calibrated probabilities of bad, each of shape (n,)."""
        raw = self.log_odds(columns)
        return raw, calibrate(raw, self.card["calibration"])


def load(folder: Path, threads: int = -1) -> Model:
    """Load the model that lies in a folder; `threads` answer many rows, -1 being as many as there are cores."""
    card = json.loads((folder / "model.json").read_text())
    loaders: dict[str, Callable[[], Scorer]] = {
        "scorecard": lambda: Scorecard(json.loads((folder / "scorecard.json").read_text())),
        "catboost": lambda: CatBoost.load(folder, card, threads),
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
