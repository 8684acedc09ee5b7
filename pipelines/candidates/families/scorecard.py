"""The family scorecard: weights of evidence, a logistic regression, points that add up."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.candidate import Family
from pipelines.candidates.portable_model import LARGEST, Columns, Contributions, Floats, map_levels
from pipelines.candidates.settings import CandidateSettings, Range

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.candidates.sample import Sample
    from pipelines.credit.points import PointsScale

_ONE_REGRESSION = Lock()
"""Fits side by side would lift each other's limit of threads, which is that of the process."""


@dataclass
class ScorecardParameters:
    """How columns are binned and weighted."""

    max_bins: int = 6
    """Most bins of a numeric column."""
    min_bin_share: float = 0.05
    """Smallest share of the rows in a bin."""
    min_gain: float = 0.0005
    """Smallest gain of a split, in bits of information."""
    min_level_share: float = 0.02
    """Share below which levels share a bin."""
    smoothing: float = 20.0
    """Rows at the overall bad rate added to each bin."""
    min_information_value: float = 0.01
    """Information value below which a column is left out."""
    inverse_regularisation: float = 0.3
    """C of the logistic regression."""


@dataclass
class ScorecardSettings(CandidateSettings):
    """Weight-of-evidence binning and a logistic regression: every point can be explained."""

    parameters: ScorecardParameters = field(default_factory=ScorecardParameters)
    """Parameters of the family."""


SPACE = {
    "max_bins": Range(3, 10),
    "min_bin_share": Range(0.01, 0.1, log=True),
    "min_gain": Range(0.0001, 0.005, log=True),
    "min_level_share": Range(0.005, 0.05, log=True),
    "min_information_value": Range(0.005, 0.1, log=True),
    "smoothing": Range(1, 50, log=True),
    "inverse_regularisation": Range(0.03, 3, log=True),
}
"""What a search tries."""

LIMITS = {
    "max_bins": Range(2, inf),
    "min_bin_share": Range(0, 0.5),
    "min_gain": Range(0, inf),
    "min_level_share": Range(0, 1),
    "smoothing": Range(1e-6, inf),
    "min_information_value": Range(0, inf),
    "inverse_regularisation": Range(1e-6, inf),
}
"""What the parameters can be: a bin without smoothing may have no bads, and then no weight of evidence."""


class Scorecard:
    """Weights of evidence per bin, one coefficient per column."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.table = table

    @classmethod
    def load(cls, folder: Path, card: Mapping[str, Any], threads: int) -> Self:  # noqa: ARG003
        """Load the table of bins and coefficients."""
        return cls(json.loads((folder / "scorecard.json").read_text()))

    def log_odds(self, columns: Columns) -> Floats:
        """Add up coefficient times weight of evidence over the columns."""
        total = np.full(len(next(iter(columns.values()))), float(self.table["intercept"]))
        for column in self.table["columns"]:
            total += column["coefficient"] * weights_of_evidence(column, columns[column["name"]])
        return total

    def contributions(self, columns: Columns) -> Contributions:
        """Return coefficient times what the weight of evidence is above its mean over the rows it was learnt from."""
        base, added = float(self.table["intercept"]), {}
        for column in self.table["columns"]:
            usual = float(np.average(column["weights"], weights=column["rows"]))
            base += column["coefficient"] * usual
            weights = weights_of_evidence(column, columns[column["name"]])
            added[column["name"]] = column["coefficient"] * (weights - usual)
        return base, added


def weights_of_evidence(column: Mapping[str, Any], values: Any) -> Floats:
    """Return the weight of evidence of each value's bin; an unseen level weighs nothing.

    Bins of a numeric column are closed on the right; the first weight is that of missing values.
    """
    if "edges" in column:
        numbers = values.astype(np.float64)
        positions = 1 + np.searchsorted(np.asarray(column["edges"], dtype=np.float64), numbers, side="left")
        return np.asarray(column["weights"], dtype=np.float64)[np.where(np.isnan(numbers), 0, positions)]
    table: dict[str | None, float] = {level: column["weights"][code] for level, code in column["levels"].items()}
    table[None] = column["weights"][0]
    return map_levels(table, 0.0, values).astype(np.float64)


@dataclass(frozen=True)
class Binning:
    """One column cut into bins: `labels[0]` is missing; numeric columns have `edges`, categorical ones `levels`."""

    name: str
    labels: tuple[str, ...]
    edges: tuple[float, ...] | None
    levels: Mapping[str, int] | None

    def place(self, values: NDArray[Any]) -> NDArray[np.intp]:
        """Return the bin of each value, 0 for missing and for levels never seen."""
        if self.edges is None:
            return np.array([(self.levels or {}).get(level, 0) for level in values], dtype=np.intp)
        places = 1 + np.searchsorted(np.asarray(self.edges), values, side="left")
        return np.where(np.isnan(values), 0, places)


@dataclass(frozen=True)
class Evidence:
    """What the bins of one column say: the weight of evidence and the rows of each bin, and their information value."""

    binning: Binning
    weights: NDArray[np.float64]
    rows: NDArray[np.int64]
    bad: NDArray[np.int64]
    information_value: float


class ScorecardCandidate:
    """Fits and saves scorecards."""

    family = "scorecard"

    def __init__(self, parameters: ScorecardParameters) -> None:
        self.parameters = parameters

    # Nothing is drawn and one thread is enough; all families are asked alike.
    def fit(self, sample: "Sample", *, seed: int, threads: int) -> Scorecard:  # noqa: ARG002
        """Return a scorecard fitted on a sample."""
        columns = sample.columns
        cuts = [self._cut_numbers(name, sample) for name in sample.numeric]
        cuts += [self._group_levels(name, columns[name]) for name in sample.categorical]
        evidence = [self._weigh_in_direction(binning, sample) for binning in cuts]
        floor = self.parameters.min_information_value
        telling = [column for column in evidence if column.information_value >= floor]
        if not telling:  # a portfolio that nothing explains still has a base rate: keep the best column
            telling = [max(evidence, key=lambda column: column.information_value)]
        kept, coefficients, intercept = self._regress(telling, sample)
        return Scorecard(
            {"intercept": intercept, "columns": [_record(*pair) for pair in zip(kept, coefficients, strict=True)]}
        )

    def save(self, scorer: Scorecard, folder: Path) -> dict[str, object]:
        """Write the scorecard's file."""
        (folder / "scorecard.json").write_text(json.dumps(scorer.table, indent=1))
        return {}

    def _cut_numbers(self, name: str, sample: "Sample") -> Binning:
        """Cut where a small decision tree cuts: its leaves differ in bad rate and hold enough rows."""
        from sklearn.tree import DecisionTreeClassifier

        values: NDArray[np.float64] = sample.columns[name]
        present = ~np.isnan(values)
        least = max(int(self.parameters.min_bin_share * len(values)), 1)
        edges: tuple[float, ...] = ()
        if present.sum() >= 2 * least:
            tree = DecisionTreeClassifier(
                criterion="entropy",
                max_leaf_nodes=self.parameters.max_bins,
                min_samples_leaf=least,
                min_impurity_decrease=self.parameters.min_gain,
                random_state=0,
            )
            weights = None if sample.weights is None else sample.weights[present]
            numbers = np.clip(values[present, None], -LARGEST, LARGEST)
            tree.fit(numbers, sample.bad[present], sample_weight=weights)
            edges = tuple(sorted({_short(edge, values) for edge in tree.tree_.threshold[tree.tree_.feature >= 0]}))
        return _intervals(name, edges)

    def _group_levels(self, name: str, values: NDArray[np.object_]) -> Binning:
        """Give each frequent level a bin of its own and the rare ones one bin together."""
        levels, counts = np.unique([level for level in values if level is not None], return_counts=True)
        enough = counts >= max(self.parameters.min_level_share * len(values), 1)
        frequent = [str(level) for level in levels[enough]]
        bins = {level: 1 + position for position, level in enumerate(frequent)}
        bins |= {str(level): 1 + len(frequent) for level in levels[~enough]}
        other = ("other",) if (~enough).any() else ()
        return Binning(name, ("missing", *frequent, *other), None, bins)

    def _weigh_in_direction(self, binning: Binning, sample: "Sample") -> Evidence:
        """Weigh each bin; join neighbours whose weights contradict the column's direction, worst first."""
        evidence, direction = self._weigh(binning, sample), sample.directions.get(binning.name, 0)
        while (steps := direction * np.diff(evidence.weights[1:])).min(initial=0) < 0:
            edges = np.delete(np.asarray(evidence.binning.edges), int(np.argmin(steps)))
            evidence = self._weigh(_intervals(binning.name, tuple(edges.tolist())), sample)
        return evidence

    def _weigh(self, binning: Binning, sample: "Sample") -> Evidence:
        """Weigh each bin: the logarithm of its odds of bad over the overall odds, shrunk towards zero when thin."""
        bins = binning.place(sample.columns[binning.name])
        counted = np.ones(len(bins)) if sample.weights is None else sample.weights
        rows, bads = (
            np.asarray(np.bincount(bins, weights=one, minlength=len(binning.labels)), np.float64)
            for one in (counted, counted * sample.bad)
        )
        rate = float(bads.sum() / rows.sum())
        odds = (bads + self.parameters.smoothing * rate) / (rows - bads + self.parameters.smoothing * (1 - rate))
        weights = np.log(odds * (1 - rate) / rate)
        gap = bads / bads.sum() - (rows - bads) / (rows - bads).sum()
        return Evidence(binning, weights, _whole(rows), _whole(bads), float(np.sum(gap * weights)))

    def _regress(self, evidence: list[Evidence], sample: "Sample") -> tuple[list[Evidence], list[float], float]:
        """Fit coefficients; a column whose coefficient contradicts its own evidence is left out, worst first."""
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits

        placed = {one.binning.name: one.binning.place(sample.columns[one.binning.name]) for one in evidence}
        matrix = np.column_stack([one.weights[placed[one.binning.name]] for one in evidence])
        # Many columns are left out one at a time: Newton's method takes a twentieth of the time of the default solver.
        model = LogisticRegression(C=self.parameters.inverse_regularisation, solver="newton-cholesky")
        while True:
            with _ONE_REGRESSION, threadpool_limits(1):  # the sums of several threads would depend on their number
                model.fit(matrix, sample.bad, sample_weight=sample.weights)
            coefficients = [float(value) for value in model.coef_[0]]
            worst = int(np.argmin(coefficients))
            if coefficients[worst] >= 0 or len(evidence) == 1:
                return evidence, coefficients, float(model.intercept_[0])
            evidence = [one for position, one in enumerate(evidence) if position != worst]
            matrix = np.delete(matrix, worst, axis=1)


def points_table(scorecard: Scorecard, calibration: Mapping[str, Any], scale: "PointsScale") -> "pd.DataFrame":
    """Return the scorecard as people read it: the points of each bin, which add up to the points of an application.

    A logistic calibration map is part of the points. An isotonic one bends the sum: the points are then those before
    calibration.
    """
    import pandas as pd

    slope = calibration.get("slope", 1.0)
    intercept = calibration.get("intercept", 0.0)
    start = scale.offset - scale.factor * (intercept + slope * scorecard.table["intercept"])
    rows = [
        {"column": "(start)", "bin": "", "rows": None, "bad_rate": None, "weight_of_evidence": None, "points": start}
    ]
    for column in scorecard.table["columns"]:
        for code, label in enumerate(column["labels"]):
            weight = column["weights"][code]
            rows.append(
                {
                    "column": column["name"],
                    "bin": label,
                    "rows": column["rows"][code],
                    "bad_rate": column["bad"][code] / column["rows"][code] if column["rows"][code] else None,
                    "weight_of_evidence": weight,
                    "points": -scale.factor * slope * column["coefficient"] * weight,
                }
            )
    table = pd.DataFrame(rows).astype({"rows": "Int64"})
    table["points"] += 0.0  # an empty bin has 0 points, not -0
    return table.round({"bad_rate": 4, "weight_of_evidence": 4, "points": 1})


def _record(evidence: Evidence, coefficient: float) -> dict[str, object]:
    binning = evidence.binning
    cut = {"levels": dict(binning.levels or {})} if binning.edges is None else {"edges": list(binning.edges)}
    return cut | {
        "name": binning.name,
        "coefficient": coefficient,
        "labels": list(binning.labels),
        "weights": evidence.weights.tolist(),
        "rows": evidence.rows.tolist(),
        "bad": evidence.bad.tolist(),
        "information_value": evidence.information_value,
    }


def _whole(rows: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(rows).astype(np.int64)


def _short(edge: float, values: NDArray[np.float64]) -> float:
    """Return an edge in the fewest digits, six at least, with the same values on either side."""
    below = values <= edge
    shorter = (float(f"{edge:.{digits}g}") for digits in range(6, 17))
    return next((short for short in shorter if ((values <= short) == below).all()), float(edge))


def _intervals(name: str, edges: tuple[float, ...]) -> Binning:
    return Binning(name, ("missing", *_interval_labels(edges)), edges, None)


def _interval_labels(edges: tuple[float, ...]) -> list[str]:
    if not edges:
        return ["any number"]
    between = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    return [f"up to {edges[0]:g}", *between, f"above {edges[-1]:g}"]


def cost(scorer: Scorecard) -> float:
    """Return microseconds per row: a number is searched among edges, a level looked up."""
    return 0.01 + sum(0.012 if "edges" in column else 0.0035 for column in scorer.table["columns"])


FAMILY = Family(
    name="scorecard",
    settings=ScorecardSettings,
    candidate=ScorecardCandidate,
    scorer=Scorecard,
    space=SPACE,
    limits=LIMITS,
    fitted_with=("scikit-learn",),
    points_table=points_table,
    cost=cost,
)
