"""A model that another tool logged: its description is read as data, its code runs in a process of its own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from pipelines.candidates.portable_model import Columns, Floats, Levels
from pipelines.errors import DataError, RequestError, ThinfileError
from pipelines.model_store.files import DESCRIPTION
from pipelines.model_store.foreign_process import ForeignProcess
from pipelines.model_store.predictor import Prediction, Predictor
from pipelines.model_store.registered import RegisteredModel
from pipelines.policy.model_settings import ModelSettings
from pipelines.reading.contract import ReadingContract

TEXT = "string"
NUMBERS: Mapping[str, type[np.generic]] = {
    "double": np.float64,
    "float": np.float32,
    "long": np.int64,
    "integer": np.int32,
    "boolean": np.bool_,
}
"""Types of a signature's columns that hold numbers."""

WHOLE = ("long", "integer", "boolean")


def load_foreign(folder: Path, registered: RegisteredModel, digest: str, models: ModelSettings) -> Predictor:
    """Return the predictor of the model in a folder; `digest` is its hash. Its process starts with the first rows.

    Raises:
        RequestError: the policy does not allow the model, or its signature has no column names.
    """
    title = f"{registered.name} version {registered.version}"
    if models.foreign.get(digest) != registered.name:
        allowed = json.dumps({digest: registered.name})
        raise RequestError(
            f"{title} was logged by another tool, and using it runs code that comes with it; if you trust it, allow it "
            f"in the policy: 'policy.models.foreign={allowed}'"
        )
    return _Foreign(ForeignProcess(folder, title, digest, models), _columns(folder, title), digest, title)


def _columns(folder: Path, title: str) -> dict[str, str]:
    """Return the type of each required column of a model's signature, read from MLflow's description."""
    try:
        description = yaml.safe_load((folder / DESCRIPTION).read_text())
        inputs = json.loads((description.get("signature") or {}).get("inputs") or "[]")
        columns = {str(one["name"]): str(one["type"]) for one in inputs if "name" in one and one.get("required", True)}
    except (OSError, ValueError, AttributeError, KeyError, TypeError, yaml.YAMLError) as error:
        reason = str(error).partition("\n")[0]
        raise ThinfileError(f"the {DESCRIPTION} of {title} cannot be read ({reason}); log the model again") from error
    if not columns:
        raise RequestError(f"{title} has no signature with column names; log it again with signature=...")
    for name, kind in columns.items():
        if kind != TEXT and kind not in NUMBERS:
            raise RequestError(
                f"column '{name}' in the signature of {title} has the type {kind}; log the model again with columns of "
                f"{', '.join(NUMBERS)} or {TEXT}"
            )
    return columns


@dataclass
class _Foreign:
    process: ForeignProcess
    types: dict[str, str]
    hash: str
    title: str
    meanings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    known_levels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    contract: ReadingContract = field(default_factory=ReadingContract)

    def __post_init__(self) -> None:
        self.categorical = [name for name, kind in self.types.items() if kind == TEXT]
        self.numeric = [name for name in self.types if name not in self.categorical]

    @property
    def isolation(self) -> str | None:
        return self.process.isolation

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
        if not len(features):
            return np.empty(0)
        return probabilities(self.process.predict(frame), len(features), self.title)

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


def _cast(values: "pd.Series[Any]", kind: str) -> "pd.Series[Any]":
    if kind == TEXT:
        return values
    if kind in WHOLE and values.isna().any():
        raise DataError(
            f"column '{values.name}' has missing values, which the model's {kind} signature does not allow; "
            "log the model with doubles"
        )
    cast = values.astype(NUMBERS[kind])
    if kind in WHOLE and (cast != values).any():
        raise DataError(
            f"column '{values.name}' has the value {values[cast != values].iloc[0]}, which the model's {kind} "
            "signature does not allow; log the model with doubles"
        )
    return cast
