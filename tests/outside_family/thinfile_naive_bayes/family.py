"""Naive Bayes on quantile bins and levels."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from thinfile_naive_bayes.bins import bin_of, log_ratios

from pipelines.candidates.candidate import Family
from pipelines.candidates.portable_model import Columns, Contributions, Floats, map_levels
from pipelines.candidates.settings import CandidateSettings, Range

UNSEEN = 0.0


@dataclass
class NaiveBayesParameters:
    """`bins` per number, and `prior` rows at the bad rate added to each."""

    bins: int = 6
    prior: float = 20.0


@dataclass
class NaiveBayesSettings(CandidateSettings):
    """Naive Bayes."""

    parameters: NaiveBayesParameters = field(default_factory=NaiveBayesParameters)


class NaiveBayes:
    """Adds up the log-likelihood ratio of each feature's bin."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.table = table

    @classmethod
    def load(cls, folder: Path, card: Mapping[str, Any], threads: int) -> "NaiveBayes":  # noqa: ARG003
        return cls(json.loads((folder / "naive_bayes.json").read_text()))

    def log_odds(self, columns: Columns) -> Floats:
        base, added = self.contributions(columns)
        return sum(added.values(), np.full(len(next(iter(columns.values()))), base))

    def contributions(self, columns: Columns) -> Contributions:
        added = {
            name: np.array(one["ratios"])[bin_of(one["edges"], columns[name])]
            for name, one in self.table["numeric"].items()
        }
        for name, one in self.table["categorical"].items():
            ratios = dict(zip(one["levels"], one["ratios"][1:], strict=True)) | {None: one["ratios"][0]}
            added[name] = map_levels(ratios, UNSEEN, columns[name]).astype(float)
        return self.table["base"], added


class NaiveBayesCandidate:
    """Fits and saves naive Bayes models."""

    family = "naive_bayes"

    def __init__(self, parameters: NaiveBayesParameters) -> None:
        self.parameters = parameters

    def fit(self, sample: Any, *, seed: int, threads: int) -> NaiveBayes:  # noqa: ARG002
        weights = np.ones(len(sample.bad)) if sample.weights is None else sample.weights
        rate, prior = float(np.average(sample.bad, weights=weights)), self.parameters.prior
        numeric, categorical = {}, {}
        for name in sample.numeric:
            values = sample.columns[name]
            inner = np.linspace(0, 1, self.parameters.bins + 1)[1:-1]
            present = values[~np.isnan(values)]
            edges = sorted(set(np.quantile(present, inner, method="lower").tolist())) if len(present) else []
            ratios = log_ratios(bin_of(edges, values), len(edges) + 2, sample.bad, weights, prior)
            numeric[name] = {"edges": edges, "ratios": ratios}
        for name in sample.categorical:
            levels = sorted({level for level in sample.columns[name] if level is not None})
            codes = {level: 1 + code for code, level in enumerate(levels)}
            bins = np.array([codes.get(level, 0) for level in sample.columns[name]])
            ratios = log_ratios(bins, len(levels) + 1, sample.bad, weights, prior)
            categorical[name] = {"levels": levels, "ratios": ratios}
        base = float(np.log(rate / (1 - rate)))
        return NaiveBayes({"base": base, "numeric": numeric, "categorical": categorical})

    def save(self, scorer: NaiveBayes, folder: Path) -> dict[str, object]:
        (folder / "naive_bayes.json").write_text(json.dumps(scorer.table))
        return {}


FAMILY = Family(
    name="naive_bayes",
    settings=NaiveBayesSettings,
    candidate=NaiveBayesCandidate,
    scorer=NaiveBayes,
    space={"bins": Range(3, 12), "prior": Range(1, 100, log=True)},
)
