"""Pictures of an evaluation, drawn without a display."""

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.evidence.evaluation import Evaluation
from pipelines.credit.discrimination import cumulative_shares

INK, BAD, GOOD, PALE = "#22313f", "#c0392b", "#2471a3", "#b3bdc6"
BINS = 30
DOTS_PER_INCH = 110


def draw_evaluation(
    folder: Path, evaluation: Evaluation, bad: NDArray[np.int8], probability: NDArray[np.float64], title: str
) -> None:
    """Write one PNG per question: separation (ROC and KS), calibration, and the distribution of the score."""
    with mpl.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        pictures: dict[str, Callable[[Axes], None]] = {
            "roc": lambda axes: _roc(axes, evaluation, bad, probability),
            "kolmogorov_smirnov": lambda axes: _kolmogorov_smirnov(axes, evaluation, bad, probability),
            "calibration": lambda axes: _calibration(axes, evaluation),
            "distribution": lambda axes: _distribution(axes, evaluation, bad, probability),
        }
        for name, draw in pictures.items():
            figure = Figure(figsize=(6, 4.5), layout="constrained")
            axes = figure.subplots()
            draw(axes)
            figure.suptitle(title, fontsize=9, color=INK)
            figure.savefig(folder / f"{name}.png", dpi=DOTS_PER_INCH)


def _told(evaluation: Evaluation, name: str) -> str:
    estimate = evaluation.measures[name]
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def _roc(axes: Axes, evaluation: Evaluation, bad: NDArray[np.int8], probability: NDArray[np.float64]) -> None:
    _, goods, bads = cumulative_shares(bad, probability)
    axes.plot([0, 1], [0, 1], color=PALE, linestyle="--")
    axes.plot(np.concatenate([[1.0], 1 - goods]), np.concatenate([[1.0], 1 - bads]), color=BAD)
    axes.set(xlabel="share of good applications flagged", ylabel="share of bad applications flagged")
    axes.set_title(f"AUC {_told(evaluation, 'auc')}")
    axes.set_aspect("equal")


def _kolmogorov_smirnov(
    axes: Axes, evaluation: Evaluation, bad: NDArray[np.int8], probability: NDArray[np.float64]
) -> None:
    scores, goods, bads = cumulative_shares(bad, probability)
    widest = int(np.argmax(np.abs(goods - bads)))
    axes.step(scores, goods, where="post", color=GOOD, label="good")
    axes.step(scores, bads, where="post", color=BAD, label="bad")
    axes.vlines(scores[widest], bads[widest], goods[widest], color=INK, linestyle=":")
    axes.set(xlabel="probability of default", ylabel="share at or below")
    axes.set_title(f"KS {_told(evaluation, 'ks')}")
    axes.legend(frameon=False, loc="lower right")


def _calibration(axes: Axes, evaluation: Evaluation) -> None:
    predicted = [point.predicted for point in evaluation.curve]
    observed = np.array([point.observed for point in evaluation.curve])
    reach = np.array([[p.observed - p.low, p.high - p.observed] for p in evaluation.curve]).clip(min=0).T
    edge = max(*predicted, *(point.high for point in evaluation.curve)) * 1.05
    axes.plot([0, edge], [0, edge], color=PALE, linestyle="--")
    axes.errorbar(predicted, observed, yerr=reach, fmt="o", color=BAD, ecolor=PALE, capsize=2)
    axes.set(xlabel="predicted bad rate", ylabel="observed bad rate (95% interval)")
    axes.set_title(f"Brier {_told(evaluation, 'brier')}")


def _distribution(axes: Axes, evaluation: Evaluation, bad: NDArray[np.int8], probability: NDArray[np.float64]) -> None:
    edges = np.linspace(0, 1, BINS + 1)
    for outcome, colour, label in ((0, GOOD, "good"), (1, BAD, "bad")):
        axes.hist(probability[bad == outcome], bins=list(edges), color=colour, alpha=0.55, label=label)
    axes.set(xlabel="probability of default", ylabel="applications")
    axes.set_title(f"Gini {_told(evaluation, 'gini')}")
    axes.legend(frameon=False, loc="upper right")
