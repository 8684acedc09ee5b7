"""The gates of a promotion: what a challenger must reach, and by how much it did or did not."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.evaluation import Evaluation
from pipelines.credit.discrimination import delong_difference
from pipelines.policy import GateSettings


@dataclass(frozen=True)
class GateResult:
    """One gate's answer: the figure, the bound it was held against, and a sentence that says by how much."""

    gate: str
    passed: bool
    value: float | None
    bound: str
    sentence: str

    def record(self) -> dict[str, Any]:
        """Return the answer as JSON values."""
        return asdict(self)


def absolute_gates(evaluation: Evaluation, settings: GateSettings) -> list[GateResult]:
    """Return the gates that every model must pass, whoever is champion."""
    measures = {name: estimate.value for name, estimate in evaluation.measures.items()}
    return [_discrimination(measures, settings), _calibration(measures, settings)]


def superiority_gate(
    bad: NDArray[np.int8],
    challenger: NDArray[np.float64],
    champion: NDArray[np.float64],
    settings: GateSettings,
) -> GateResult:
    """Return whether the challenger is proven to separate better than the champion on the same applications."""
    found = delong_difference(bad, challenger, champion, confidence=settings.confidence)
    passed = found.low > 0
    interval = f"{settings.confidence:.0%} interval {found.low:+.4f} to {found.high:+.4f}, paired DeLong"
    worse = "worse" if found.high < 0 else "not proven better"
    verdict = "proven better" if passed else f"{worse}: the lower end is {-found.low:.4f} below zero"
    return GateResult(
        "superior to the champion",
        passed,
        found.low,
        "lower end of the AUC difference above 0",
        f"AUC {found.difference:+.4f} against the champion ({interval}); {verdict}",
    )


def same_test_part_gate(comparable: bool, why: str) -> GateResult:
    """Return whether the champion had not learnt from the applications on which it is compared, and how we know."""
    return GateResult("same test part", comparable, None, "unseen by the champion, as far as its record tells", why)


def _discrimination(measures: Mapping[str, float], settings: GateSettings) -> GateResult:
    auc, floor = measures["auc"], settings.minimum_auc
    distance = f"{abs(auc - floor):.4f} {'above' if auc >= floor else 'below'} the floor of {floor:g}"
    return GateResult("discrimination", auc >= floor, auc, f"AUC at least {floor:g}", f"AUC {auc:.4f}, {distance}")


def _calibration(measures: Mapping[str, float], settings: GateSettings) -> GateResult:
    ratio = measures["expected_to_observed"]
    low, high = settings.lowest_expected_to_observed, settings.highest_expected_to_observed
    passed = low <= ratio <= high
    bound = f"expected over observed defaults from {low:g} to {high:g}"
    outside = "" if passed else f", {low - ratio if ratio < low else ratio - high:.3f} outside {low:g} to {high:g}"
    return GateResult("calibration", passed, ratio, bound, f"expected over observed defaults {ratio:.3f}{outside}")
