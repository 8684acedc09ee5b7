"""Reads a registered model back and asks it for probabilities of bad."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import mlflow.pyfunc
import numpy as np
import pandas as pd
from mlflow.types import DataType
from numpy.typing import NDArray

from pipelines.candidates import served
from pipelines.candidates.oblivious_shapley import ObliviousShapley
from pipelines.errors import DataError, RequestError, ThinfileError
from pipelines.model_store.packaging import FILES, model_hash
from pipelines.model_store.store import MODEL_HASH, ModelStore, RegisteredModel

Columns = served.Columns
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """Answers for n applications, each of shape (n,): raw log-odds and calibrated probabilities of bad.

    `explain` returns the contributions of the rows that it is asked about, as `Predictor.explained` does.
    """

    log_odds: Floats
    probability_of_bad: Floats
    explain: Callable[[NDArray[np.intp]], tuple[float, Floats]]


class Predictor(Protocol):
    """A model that can be asked: the columns it needs, raw log-odds and probabilities of bad, shape (n,).

    `meanings` says of each column its `meaning`, its reason `group` and its `usual` value, as far as the model tells.
    """

    numeric: list[str]
    categorical: list[str]
    hash: str
    meanings: Mapping[str, Mapping[str, Any]]

    def answers(self, columns: Columns) -> tuple[Floats, Floats]:
        """Return raw log-odds and calibrated probabilities of bad, each of shape (n,), for columns of numbers."""

    def explained(self, columns: Columns) -> tuple[float, Floats] | None:
        """Return the contributions for columns of numbers, as `contributions` does for a frame."""

    def judged(self, columns: Columns) -> "Judged | None":
        """Return answers and what explains them where both come in one pass over columns of few rows."""

    def log_odds(self, features: pd.DataFrame) -> Floats:
        """Return the log-odds of bad before calibration."""

    def probability_of_bad(self, features: pd.DataFrame) -> Floats:
        """Return calibrated probabilities of bad."""

    def contributions(self, features: pd.DataFrame) -> tuple[float, Floats] | None:
        """Return a base and what each column adds to it, shape (n, columns), numeric ones first.

        They sum to the raw log-odds. A model from elsewhere does not tell: None.
        """


def load_predictor(store: ModelStore, registered: RegisteredModel, *, threads: int = -1) -> Predictor:
    """Load a version: natively when it is ours and unchanged since it was registered, through MLflow otherwise.

    `threads` answer for many rows, -1 being as many as there are cores.

    Raises:
        ThinfileError: the files are not those that were registered.
        RequestError: a model from elsewhere whose signature does not say which columns it needs.
    """
    return predictor_in(store.download(registered), registered, threads=threads)


def predictor_in(folder: Path, registered: RegisteredModel, *, threads: int = -1) -> Predictor:
    """Load a version whose files lie in a folder of this machine; see `load_predictor`."""
    found = model_hash(folder)
    expected = registered.tags.get(MODEL_HASH, found)
    if found != expected:
        raise ThinfileError(
            f"a model's files must be those that were registered, {registered.name} version {registered.version} has "
            f"hash {found[:12]} instead of {expected[:12]}; restore {registered.source} or promote another version"
        )
    if (folder / FILES / "model.json").exists():
        return _Native(served.load(folder / FILES, threads), found)
    return _Pyfunc.load(folder, registered, found)


@dataclass
class _Native:
    model: served.Model
    hash: str

    def __post_init__(self) -> None:
        self.numeric, self.categorical = self.model.numeric, self.model.categorical
        self.meanings = self.model.card.get("meanings", {})

    def answers(self, columns: Columns) -> tuple[Floats, Floats]:
        return self.model.answers(columns)

    def explained(self, columns: Columns) -> tuple[float, Floats] | None:
        try:
            if self._tables is None:
                return self.model.contributions(columns)
            trees, tables = self._tables
            self.model.check_finite(columns)
            return tables.base, tables.contributions(trees.leaves(columns))
        except ValueError as error:
            raise ThinfileError(str(error)) from error

    def judged(self, columns: Columns) -> Judged | None:
        if self._tables is None or not 0 < len(next(iter(columns.values()))) < served.FEW_ROWS:
            return None
        self.model.check_finite(columns)
        trees, tables = self._tables
        leaves = trees.leaves(columns)
        raw = trees.log_odds_of(leaves)
        probability = served.calibrate(raw, self.model.card["calibration"])
        return Judged(raw, probability, lambda rows: (tables.base, tables.contributions(leaves[rows])))

    @cached_property
    def _tables(self) -> tuple[served.CatBoost, ObliviousShapley] | None:
        """The trees and the Shapley values of all their leaves, made once; None for a family without such tables."""
        trees = self.model.scorer
        tables = ObliviousShapley.of(trees.model) if isinstance(trees, served.CatBoost) else None
        return (trees, tables) if isinstance(trees, served.CatBoost) and tables else None

    def log_odds(self, features: pd.DataFrame) -> Floats:
        return self.answers(self._columns(features))[0]

    def probability_of_bad(self, features: pd.DataFrame) -> Floats:
        return self.answers(self._columns(features))[1]

    def contributions(self, features: pd.DataFrame) -> tuple[float, Floats] | None:
        return self.explained(self._columns(features))

    def _columns(self, features: pd.DataFrame) -> Columns:
        return served.columns_of(features, self.numeric, self.categorical)


@dataclass
class _Pyfunc:
    model: Any
    types: dict[str, DataType]
    hash: str
    title: str
    meanings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.categorical = [name for name, kind in self.types.items() if kind is DataType.string]
        self.numeric = [name for name in self.types if name not in self.categorical]

    @classmethod
    def load(cls, folder: Path, registered: RegisteredModel, found: str) -> "_Pyfunc":
        model = mlflow.pyfunc.load_model(str(folder))
        title = f"{registered.name} version {registered.version}"
        inputs = model.metadata.get_input_schema()
        if inputs is None or not inputs.has_input_names():
            raise RequestError(
                f"a model must say which columns it needs, {title} has no signature with column names; "
                "log it again with signature=..."
            )
        # A column that the model does without is not asked for.
        return cls(model, {column.name: column.type for column in inputs.inputs if column.required}, found, title)

    def answers(self, columns: Columns) -> tuple[Floats, Floats]:
        probability = self.probability_of_bad(_frame_of(columns))
        return _log_odds(probability), probability

    def explained(self, columns: Columns) -> tuple[float, Floats] | None:  # noqa: ARG002
        return None

    def judged(self, columns: Columns) -> Judged | None:  # noqa: ARG002
        return None

    def log_odds(self, features: pd.DataFrame) -> Floats:
        return _log_odds(self.probability_of_bad(features))

    def probability_of_bad(self, features: pd.DataFrame) -> Floats:
        frame = pd.DataFrame({name: _cast(features[name], kind) for name, kind in self.types.items()})
        return probabilities(self.model.predict(frame), len(features), self.title)

    def contributions(self, features: pd.DataFrame) -> tuple[float, Floats] | None:  # noqa: ARG002
        return None


def _frame_of(columns: Columns) -> pd.DataFrame:
    """Return columns as a pandas frame: numbers as float64, levels as text or None."""
    return pd.DataFrame({name: _as_text(one) for name, one in columns.items()})


def _as_text(values: Any) -> NDArray[Any]:
    if not isinstance(values, served.Levels):
        return np.asarray(values, dtype=np.float64 if values.dtype == np.float32 else values.dtype)
    return np.asarray(np.array([*values.names, None], dtype=object)[values.codes])


def _log_odds(probability: Floats) -> Floats:
    certain = np.clip(probability, 1e-12, 1 - 1e-12)
    return np.asarray(np.log(certain / (1 - certain)))


def probabilities(answer: Any, rows: int, title: str) -> Floats:
    """Return a model's answer as probabilities of bad, shape (rows,).

    Raises:
        RequestError: the answer has several columns, another length, other values than probabilities, or only 0 and 1.
    """
    values = np.asarray(answer)
    hint = "log a PythonModel whose predict returns it (for scikit-learn: model.predict_proba(features)[:, 1])"
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.shape != (rows,):
        raise RequestError(
            f"a model must answer with one probability of bad per row, {title} answered {rows} rows with shape "
            f"{values.shape}; {hint}"
        )
    if rows == 0:
        return np.empty(0)
    sure_of_all = rows > 1 and bool(np.isin(values, [0.0, 1.0]).all())
    if not np.issubdtype(values.dtype, np.floating) or sure_of_all:
        raise RequestError(
            f"a model must answer with the probability of bad, {title} answered with classes such as "
            f"{str(values[0])!r}; {hint}"
        )
    if not ((values >= 0) & (values <= 1)).all():
        raise RequestError(
            f"probabilities lie between 0 and 1, {title} answered from {values.min():.4g} to {values.max():.4g}; {hint}"
        )
    return values.astype(np.float64)


def _cast(values: "pd.Series[Any]", kind: DataType) -> "pd.Series[Any]":
    if kind is DataType.string:
        return values
    if kind in (DataType.integer, DataType.long, DataType.boolean) and values.isna().any():
        raise DataError(
            f"column '{values.name}' has missing values, which the model's {kind.name} signature refuses; "
            "log the model with doubles"
        )
    found = values.astype(kind.to_numpy())
    if kind in (DataType.integer, DataType.long, DataType.boolean) and (found != values).any():
        raise DataError(
            f"column '{values.name}' holds {values[found != values].iloc[0]}, which the model's {kind.name} signature "
            "cannot hold; log the model with doubles"
        )
    return found
