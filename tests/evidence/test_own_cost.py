"""What a study costs beside its fits: tracking, storage, splits and sampling."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import pytest

import thinfile
from experiments.search import registration
from experiments.search.out_of_fold import CrossValidation
from experiments.search.trial_result import Parameters, Pruned
from tests.evidence.conftest import Evidence

MOST = 0.05


@dataclass
class Fits:
    """The fits of a study: how long they took, and how many folds each configuration was fitted on."""

    seconds: float = 0.0
    experiment: Any = None
    folds: list[tuple[Parameters, int]] = field(default_factory=list)

    def clocked(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that adds what it takes."""

        def timed(*arguments: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return call(*arguments, **named)
            finally:
                self.seconds += time.perf_counter() - began

        return timed

    def evaluated(self, evaluate: Callable[..., Any]) -> Callable[..., Any]:
        """Return `CrossValidation.evaluate`, whose calls are kept."""

        def kept(validation: CrossValidation, parameters: Parameters, *rule: Any) -> Any:
            self.experiment = validation.experiment
            try:
                scores = self.clocked(evaluate)(validation, parameters, *rule)
            except Pruned as pruned:
                self.folds.append((parameters, len(pruned.aucs)))
                raise
            self.folds.append((parameters, len(scores.aucs)))
            return scores

        return kept

    def bare(self) -> float:
        """Return what the same configurations take on the same folds, without a study."""
        validation, began = CrossValidation(self.experiment), time.perf_counter()
        for parameters, folds in self.folds:
            with_folds = _stopped_after(folds)
            try:
                validation.evaluate(parameters, with_folds)
            except Pruned:
                continue
        return time.perf_counter() - began


def _stopped_after(folds: int) -> Callable[[Sequence[float]], bool]:
    return lambda aucs: len(aucs) >= folds


@pytest.mark.integration
def test_a_study_costs_little_beside_its_fits(
    evidence: Evidence, boosted_search: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials, shares = evidence.size(full=40, reduced=3), []
    _, *words = (*boosted_search, "final=single", f"workspace={tmp_path / 'workspace'}")
    thinfile.tune(*words, "trials=1", "seed=99")  # imports, and MLflow makes its tables
    evaluate, build = CrossValidation.evaluate, registration.build_version
    for number in range(evidence.size(full=7, reduced=1)):
        fits = Fits()
        monkeypatch.setattr(CrossValidation, "evaluate", fits.evaluated(evaluate))
        monkeypatch.setattr(registration, "build_version", fits.clocked(build))
        began = time.perf_counter()
        thinfile.tune(*words, f"trials={trials}", f"seed={number}")
        own = time.perf_counter() - began - fits.seconds
        monkeypatch.undo()
        assert len(fits.folds) == trials
        shares.append(own / fits.bare())
    share = median(shares)
    evidence.record(
        "86-own-cost",
        claim=f"tracking, storage, splits and sampling of a study of {trials} trials on 20,000 rows, where the stores "
        "exist, beside the bare fits of the same configurations on the same folds",
        value=f"{share:.1%}",
        bound=f"under {MOST:.0%}",
        holds=share < MOST,
    )
    assert share < MOST or not evidence.full
