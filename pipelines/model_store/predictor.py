"""Reads a registered model back and asks it for probabilities of bad."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.candidates import portable_model as served
from pipelines.candidates.oblivious_shapley import ObliviousShapley
from pipelines.errors import ThinfileError
from pipelines.model_store.files import FILES, model_hash
from pipelines.model_store.registered import MODEL_HASH, RegisteredModel

if TYPE_CHECKING:
    from pipelines.model_store.store import ModelStore

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


def load_predictor(store: "ModelStore", registered: RegisteredModel, *, threads: int = -1) -> Predictor:
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
    from pipelines.model_store.foreign import load_foreign  # it needs MLflow, which ours do without

    return load_foreign(folder, registered, found)


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
