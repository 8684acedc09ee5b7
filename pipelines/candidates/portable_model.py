"""The part of every logged model that is the same for all families: columns in, calibrated probability of bad out.

A logged model runs where this package is not installed. Its code is this file followed by the scorers of its families
(see `portable_source`), so this file imports nothing of ours. Training and scoring use the same functions.

A model is a folder of files without pickle: model.json (family, columns, calibration map, meanings) and the files that
its family writes. A model that combines others lists them in model.json as `parts`, with the folders of their models.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_LOG_ODDS = 30.0
"""Log-odds are clipped here, at odds of about one in 10^13: a probability is never 0 or 1."""

FEW_ROWS = 1000
"""For fewer rows, starting threads takes longer than the work itself."""

RARE = "(rare)"
"""The level as which tree models learn all levels of few rows, and score those that they never saw."""

CODE, AMOUNT = " (code)", "an amount"
"""The name of the category of a number's special codes goes on so; the level of numbers that are none."""

LARGEST = float(np.finfo(np.float32).max)
"""The largest single-precision number; CatBoost and the tree that cuts a scorecard's bins clip larger ones to it."""


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
"""A base that all rows share, and what each feature adds to it, shape (n,); they sum to the log-odds of bad.

A row's contributions do not depend on the other rows, to the last bit. A feature that is not named adds nothing.
"""


class Scorer(Protocol):
    """A fitted model of one family, before calibration."""

    @classmethod
    def load(cls, folder: Path, card: Mapping[str, Any], threads: int) -> Self:
        """Load a scorer from the files that its family wrote; `card` is the content of model.json."""

    def log_odds(self, columns: Columns) -> Floats:
        """Return the log-odds of bad, shape (n,), for columns of length n."""

    def contributions(self, columns: Columns) -> Contributions:
        """Return the contribution of each feature to the log-odds."""


class CombinedScorer(Protocol):
    """A fitted model that combines models of other families; it is made of them instead of loaded."""

    @classmethod
    def combine(cls, card: Mapping[str, Any], models: Sequence[Sequence[Any]]) -> Any:
        """Return the `Scorer` that combines loaded models, by part; `card` is the content of model.json."""


def levels_of(texts: Any) -> Levels:
    """Return a column of texts, None being missing, as numbers."""
    names = sorted({text for text in texts if text is not None})
    codes: dict[str | None, int] = {name: code for code, name in enumerate(names)}
    return Levels(np.array([codes.get(text, -1) for text in texts], dtype=np.int32), names)


def map_levels(table: Mapping[str | None, Any], default: float, values: Any) -> NDArray[Any]:
    """Return the table's entry for each level of a column, shape (n,); None is missing, others have the default."""
    if isinstance(values, Levels):
        entries = np.array([table.get(name, default) for name in (*values.names, None)])
        return np.asarray(entries[values.codes])
    return np.array([table.get(level, default) for level in values])


def with_rare(values: Any, known: Sequence[str]) -> Any:
    """Return a column whose levels that are not known are `RARE`; unchanged for a model that learnt no rare levels."""
    if RARE not in known:
        return values
    if isinstance(values, Levels):
        codes = {name: code for code, name in enumerate(known)}
        table = np.array([*(codes.get(name, codes[RARE]) for name in values.names), -1], dtype=np.int32)
        return Levels(table[values.codes], known)
    kept = frozenset(known)
    return np.array([level if level is None or level in kept else RARE for level in values], dtype=object)


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
        base, added = self.scorer.contributions(columns)
        nothing = np.zeros(len(next(iter(columns.values()))))
        return base, np.column_stack([added.get(name, nothing) for name in (*self.numeric, *self.categorical)])

    def check_finite(self, columns: Columns) -> None:
        """Raise ValueError for infinite numbers."""
        numbers = [columns[name] for name in self.numeric]
        if numbers and len(numbers[0]) < FEW_ROWS and not np.isinf(np.concatenate(numbers)).any():
            return
        for name, values in zip(self.numeric, numbers, strict=True):
            if np.isinf(values).any():
                raise ValueError(f"column '{name}' has infinite numbers; remove these rows or make the numbers finite")

    def probability_of_bad(self, columns: Columns) -> Floats:
        """Return calibrated probabilities of bad, shape (n,)."""
        return self.predict(columns)[1]

    def predict(self, columns: Columns) -> tuple[Floats, Floats]:
        """Return raw log-odds and calibrated probabilities of bad, each of shape (n,)."""
        raw = self.log_odds(columns)
        return raw, calibrate(raw, self.card["calibration"])


def read_card(folder: Path) -> dict[str, Any]:
    """Return the content of a model's model.json: its family, columns, calibration map and meanings."""
    card: dict[str, Any] = json.loads((folder / "model.json").read_text())
    return card


def families_of(card: Mapping[str, Any]) -> list[str]:
    """Return the families whose scorers a model needs: its own, and those of its parts."""
    return list(dict.fromkeys([card["family"], *(part["family"] for part in card.get("parts", ()))]))


def load_scorer(folder: Path, card: Mapping[str, Any], threads: int, scorers: Mapping[str, type[Any]]) -> Any:
    """Load the scorer of a model, and the models that it combines; `scorers` has the class of each family."""
    scorer = scorers[card["family"]]
    if "parts" not in card:
        return scorer.load(folder, card, threads)
    shared = {name: value for name, value in card.items() if name != "parts"}

    def load(name: str) -> Any:
        return load_scorer(folder / name, shared | read_card(folder / name), threads, scorers)

    return scorer.combine(card, [[load(name) for name in part["models"]] for part in card["parts"]])


def columns_of(
    frame: Any, numeric: Sequence[str], categorical: Sequence[str], nulls: Sequence[str] = ()
) -> dict[str, NDArray[Any]]:
    """Return the columns of a pandas frame as arrays: numbers as float64, levels as text or None.

    An empty text is missing, as in every table that is read, and so are the words `nulls`.
    """
    missing = ("", *nulls)
    numbers = {name: frame[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in numeric}
    levels = {
        name: frame[name].astype(object).where(frame[name].notna() & ~frame[name].isin(missing), None).to_numpy()
        for name in categorical
    }
    return numbers | levels


def table_names(card: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the numeric and the categorical columns of the table that a model learnt from.

    There a number with special codes is one column; the model has two of it, its amounts and the category of its codes.
    """
    numbers_by_code = {name + CODE: name for name in _reading(card).get("special", {})}
    coded = [numbers_by_code[name] for name in card["categorical"] if name in numbers_by_code]
    categorical = [name for name in card["categorical"] if name not in numbers_by_code]
    return list(dict.fromkeys([*card["numeric"], *coded])), categorical


def columns_of_table(frame: Any, card: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Return the columns of a model from a frame of `table_names`, without null markers and special codes."""
    reading = _reading(card)
    nulls = reading.get("nulls", ())
    frame = frame.assign(**{name: _texts(frame[name]) for name in table_names(card)[1]})
    columns = columns_of(frame, *table_names(card), nulls)
    missing = [number for number in map(_number, nulls) if number is not None]
    for name in table_names(card)[0]:
        values = columns[name]
        columns[name] = np.where(np.isin(values, missing), np.nan, values)
    for name, codes in reading.get("special", {}).items():
        if name in columns:
            values = columns[name]
            levels = np.full(len(values), AMOUNT, dtype=object)
            levels[np.isnan(values)] = None
            for code in codes:
                levels[values == float(code)] = code
            columns[name] = np.where(np.isin(values, [float(code) for code in codes]), np.nan, values)
            columns[name + CODE] = levels
    return columns


def _texts(values: Any) -> Any:
    """Return a column of a pandas frame with its levels as text, spelled as in tables that are read."""
    values = values.astype(object)
    spelled = {level: level_text(level) for level in values.dropna().unique()}
    return values.map(spelled, na_action="ignore")


def level_text(level: Any) -> str:
    """Return a level as text: whole numbers have no point, flags are 1 and 0, a day has no time.

    >>> level_text(2.0), level_text("02"), level_text(0.5), level_text(True), level_text(Decimal("1.50"))
    ('2', '02', '0.5', '1', '1.5')
    """
    if isinstance(level, bool | np.bool_):
        return str(int(level))
    if isinstance(level, float | np.floating):
        return str(int(level)) if float(level).is_integer() else repr(float(level))
    if isinstance(level, Decimal):
        text = format(level, "f")
        return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
    if isinstance(level, datetime):
        return level.isoformat(sep=" ") if level.time() != time() else level.strftime("%Y-%m-%d")
    return level.strftime("%Y-%m-%d") if isinstance(level, date) else str(level)


def _reading(card: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return how the values of a model's table are read; models of earlier versions have no record of it."""
    found: Mapping[str, Any] = (card.get("reading") or {}).get("values") or {}
    return found


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def pyfunc_model(scorers: Mapping[str, type[Any]]) -> Any:
    """Return the model as MLflow loads it: its `predict` takes a frame and returns probabilities of bad."""
    import mlflow.pyfunc
    import pandas as pd

    class PortableModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]
        def load_context(self, context: Any) -> None:
            folder = Path(context.artifacts["model"])
            card = read_card(folder)
            self.model = Model(card, load_scorer(folder, card, -1, scorers))

        def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Floats:  # noqa: ARG002
            return self.model.probability_of_bad(columns_of_table(model_input, self.model.card))

    return PortableModel()
