"""Loads a registered model to predict and explain probabilities of bad."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.candidates.candidate import LeafTables
from pipelines.candidates.portable_model import (
    FEW_ROWS,
    Columns,
    Floats,
    Model,
    calibrate,
    columns_of,
    families_of,
)
from pipelines.candidates.registry import family_named, load_model
from pipelines.errors import ThinfileError
from pipelines.model_store.files import CARD, FILES
from pipelines.model_store.intact import require_registered_files
from pipelines.model_store.native import require_native
from pipelines.model_store.registered import RegisteredModel
from pipelines.policy.model_settings import ModelSettings
from pipelines.reading.contract import ReadingContract

if TYPE_CHECKING:
    from pipelines.model_store.store import ModelStore


@dataclass(frozen=True)
class Prediction:
    """Raw log-odds and calibrated probabilities of bad of n applications, each of shape (n,).

    `explain` returns the contributions of some of the rows, as `Predictor.explain` does.
    """

    log_odds: Floats
    probability_of_bad: Floats
    explain: Callable[[NDArray[np.intp]], tuple[float, Floats]]


class Predictor(Protocol):
    """A loaded model: the columns it needs, raw log-odds and probabilities of bad, shape (n,).

    `meanings` has the `meaning`, the reason `group` and the `usual` value of columns, `known_levels` the levels that
    categorical ones had in the development sample; both are empty for a foreign model.
    `contract` says how the columns of a table are read.
    """

    numeric: list[str]
    categorical: list[str]
    hash: str
    meanings: Mapping[str, Mapping[str, Any]]
    known_levels: Mapping[str, frozenset[str]]
    contract: ReadingContract

    @property
    def isolation(self) -> str | None:
        """How the process of a foreign model is kept apart, in words; None for a model that Thinfile reads itself."""

    def predict(self, columns: Columns) -> tuple[Floats, Floats]:
        """Return raw log-odds and calibrated probabilities of bad, each of shape (n,), for columns of numbers."""

    def explain(self, columns: Columns) -> tuple[float, Floats] | None:
        """Return the contributions for columns of numbers, as `contributions` does for a frame."""

    def predict_and_explain(self, columns: Columns) -> "Prediction | None":
        """Return predictions with their explanations where both take one pass; None for many rows or other models."""

    def log_odds(self, features: pd.DataFrame) -> Floats:
        """Return the log-odds of bad before calibration."""

    def probability_of_bad(self, features: pd.DataFrame) -> Floats:
        """Return calibrated probabilities of bad."""

    def contributions(self, features: pd.DataFrame) -> tuple[float, Floats] | None:
        """Return a base and what each column adds to it, shape (n, columns), numeric ones first.

        They sum to the raw log-odds. None for a foreign model.
        """


def load_predictor(
    store: "ModelStore", registered: RegisteredModel, models: ModelSettings | None = None, *, threads: int = -1
) -> Predictor:
    """Load a version: from its data files when Thinfile logged it, into a process of its own otherwise.

    `models` are the policy's: without them no code but Thinfile's own runs. `threads` score large batches, -1 being as
    many as there are cores.

    Raises:
        ThinfileError: the files changed since the version was registered, or are not what Thinfile writes.
        RequestError: no installed package declares the model's family, `models` trust neither package nor model, or a
            foreign model's signature has no column names.
    """
    return predictor_in(store.download(registered), registered, models, threads=threads)


def predictor_in(
    folder: Path, registered: RegisteredModel, models: ModelSettings | None = None, *, threads: int = -1
) -> Predictor:
    """Load a version from a local folder; see `load_predictor`."""
    intact, models = require_registered_files(folder, registered), models or ModelSettings()
    if not (folder / CARD).exists():
        from pipelines.model_store.foreign import load_foreign  # most models do without what it imports

        return load_foreign(folder, registered, intact.hash, models)
    model = load_model(folder / FILES, threads, models)
    families = [family_named(name) for name in families_of(model.card)]
    require_native(folder, registered, families, is_earlier=intact.is_earlier)
    return _Native(model, intact.hash)


@dataclass
class _Native:
    model: Model
    hash: str

    def __post_init__(self) -> None:
        self.numeric, self.categorical = self.model.numeric, self.model.categorical
        self.meanings = self.model.card.get("meanings", {})
        learnt = self.model.card.get("known_levels", {})  # models of earlier versions have none
        self.known_levels: Mapping[str, frozenset[str]] = {name: frozenset(levels) for name, levels in learnt.items()}
        self.contract = ReadingContract.from_record(self.model.card.get("reading"))

    @property
    def isolation(self) -> str | None:
        return None

    def predict(self, columns: Columns) -> tuple[Floats, Floats]:
        return self.model.predict(columns)

    def explain(self, columns: Columns) -> tuple[float, Floats] | None:
        try:
            if self._tables is None:
                return self.model.contributions(columns)
            self.model.check_finite(columns)
            return self._tables.base, self._tables.contributions(self._tables.leaves(columns))
        except ValueError as error:
            raise ThinfileError(str(error)) from error

    def predict_and_explain(self, columns: Columns) -> Prediction | None:
        tables = self._tables
        if tables is None or not 0 < len(next(iter(columns.values()))) < FEW_ROWS:
            return None
        self.model.check_finite(columns)
        leaves = tables.leaves(columns)
        raw = tables.log_odds(leaves)
        probability = calibrate(raw, self.model.card["calibration"])
        return Prediction(raw, probability, lambda rows: (tables.base, tables.contributions(leaves[rows])))

    @cached_property
    def _tables(self) -> LeafTables | None:
        return family_named(self.model.card["family"]).leaf_tables(self.model.scorer)

    def log_odds(self, features: pd.DataFrame) -> Floats:
        return self.predict(self._columns(features))[0]

    def probability_of_bad(self, features: pd.DataFrame) -> Floats:
        return self.predict(self._columns(features))[1]

    def contributions(self, features: pd.DataFrame) -> tuple[float, Floats] | None:
        return self.explain(self._columns(features))

    def _columns(self, features: pd.DataFrame) -> Columns:
        return columns_of(features, self.numeric, self.categorical)
