"""A model that another tool logged, run through MLflow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd
from mlflow.types import DataType
from numpy.typing import NDArray

from pipelines.candidates.portable_model import Columns, Floats, Levels
from pipelines.errors import DataError, RequestError
from pipelines.model_store.predictor import Prediction, Predictor
from pipelines.model_store.registered import RegisteredModel
from pipelines.reading.contract import ReadingContract


def load_foreign(folder: Path, registered: RegisteredModel, digest: str) -> Predictor:
    """Load the model in a folder; `digest` is its hash.

    Raises:
        RequestError: its signature has no column names.
    """
    model = mlflow.pyfunc.load_model(str(folder))
    title = f"{registered.name} version {registered.version}"
    inputs = model.metadata.get_input_schema()
    if inputs is None or not inputs.has_input_names():
        raise RequestError(f"{title} has no signature with column names; log it again with signature=...")
    types = {column.name: column.type for column in inputs.inputs if column.required}
    return _Foreign(model, types, digest, title)


@dataclass
class _Foreign:
    model: Any
    types: dict[str, DataType]
    hash: str
    title: str
    meanings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    known_levels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    contract: ReadingContract = field(default_factory=ReadingContract)

    def __post_init__(self) -> None:
        self.categorical = [name for name, kind in self.types.items() if kind is DataType.string]
        self.numeric = [name for name in self.types if name not in self.categorical]

    def predict(self, columns: Columns) -> tuple[Floats, Floats]:
        probability = self.probability_of_bad(_frame_of(columns))
        return _log_odds(probability), probability

    def explain(self, columns: Columns) -> tuple[float, Floats] | None:  # noqa: ARG002
        return None

    def predict_and_explain(self, columns: Columns) -> Prediction | None:  # noqa: ARG002
        return None

    def log_odds(self, features: pd.DataFrame) -> Floats:
        return _log_odds(self.probability_of_bad(features))

    def probability_of_bad(self, features: pd.DataFrame) -> Floats:
        frame = pd.DataFrame({name: _cast(features[name], kind) for name, kind in self.types.items()})
        return probabilities(self.model.predict(frame), len(features), self.title)

    def contributions(self, features: pd.DataFrame) -> tuple[float, Floats] | None:  # noqa: ARG002
        return None


def _frame_of(columns: Columns) -> pd.DataFrame:
    return pd.DataFrame({name: _as_array(one) for name, one in columns.items()})


def _as_array(values: Any) -> NDArray[Any]:
    if not isinstance(values, Levels):
        return np.asarray(values, dtype=np.float64 if values.dtype == np.float32 else values.dtype)
    return np.asarray(np.array([*values.names, None], dtype=object)[values.codes])


def _log_odds(probability: Floats) -> Floats:
    certain = np.clip(probability, 1e-12, 1 - 1e-12)
    return np.asarray(np.log(certain / (1 - certain)))


def probabilities(predicted: Any, rows: int, title: str) -> Floats:
    """Return a model's predictions as probabilities of bad, shape (rows,).

    Raises:
        RequestError: there are several columns, another number of rows, values outside 0 to 1, or only 0 and 1.
    """
    values = np.asarray(predicted)
    hint = (
        "log a PythonModel whose predict returns one probability of bad per row "
        "(for scikit-learn: model.predict_proba(features)[:, 1])"
    )
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.shape != (rows,):
        raise RequestError(f"{title} returned an array of shape {values.shape} for {rows} rows; {hint}")
    if rows == 0:
        return np.empty(0)
    only_0_and_1 = rows > 1 and bool(np.isin(values, [0.0, 1.0]).all())
    if not np.issubdtype(values.dtype, np.floating) or only_0_and_1:
        raise RequestError(f"{title} returned classes such as {str(values[0])!r}, not probabilities; {hint}")
    if not ((values >= 0) & (values <= 1)).all():
        raise RequestError(
            f"{title} returned values from {values.min():.4g} to {values.max():.4g}, not probabilities; {hint}"
        )
    return values.astype(np.float64)


def _cast(values: "pd.Series[Any]", kind: DataType) -> "pd.Series[Any]":
    if kind is DataType.string:
        return values
    if kind in (DataType.integer, DataType.long, DataType.boolean) and values.isna().any():
        raise DataError(
            f"column '{values.name}' has missing values, which the model's {kind.name} signature does not allow; "
            "log the model with doubles"
        )
    cast = values.astype(kind.to_numpy())
    if kind in (DataType.integer, DataType.long, DataType.boolean) and (cast != values).any():
        raise DataError(
            f"column '{values.name}' has the value {values[cast != values].iloc[0]}, which the model's {kind.name} "
            "signature does not allow; log the model with doubles"
        )
    return cast
