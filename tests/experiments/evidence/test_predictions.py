"""What is stored of a test part gives the figures of the evidence again, and any change of either is named."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.evidence.evaluation import evaluate
from experiments.evidence.predictions import Predictions, attach_predictions, prediction_findings
from pipelines.credit.discrimination import delong_difference
from tests.experiments.ledgers import Book, flip

SEED = 7


@pytest.fixture(scope="module")
def predictions() -> Predictions:
    generator = np.random.default_rng(3)
    risk = generator.normal(size=400)
    bad = (risk + generator.normal(size=400) > 1).astype(np.int8)
    challenger, champion = (1 / (1 + np.exp(1.5 - risk - noise * generator.normal(size=400))) for noise in (0.3, 0.9))
    return Predictions(bad, challenger, champion)


@pytest.fixture(scope="module")
def gathered(predictions: Predictions) -> dict[str, Any]:
    assert predictions.champion is not None
    difference = delong_difference(predictions.bad, predictions.challenger, predictions.champion, confidence=0.95)
    return {
        "about": {"seed": SEED},
        "measures": evaluate(predictions.bad, predictions.challenger, seed=SEED).record(),
        "difference": {
            "auc": difference.difference,
            "low": difference.low,
            "high": difference.high,
            "p": difference.p_better(),
            "margin": 0.0,
        },
        "predictions": predictions.record(),
    }


@pytest.fixture
def evidence(gathered: dict[str, Any]) -> dict[str, Any]:
    return deepcopy(gathered)


@pytest.fixture
def attached(book: Book, predictions: Predictions) -> Path:
    """The file of the predictions, attached to version 1."""
    attach_predictions(book.store, book.version(1), predictions)
    path = book.store.attached(book.version(1), f"promotion/{predictions.record()['sha256']}.npy")
    assert path is not None
    return Path(path)


def found(book: Book, evidence: dict[str, Any], *, intervals: bool = True) -> list[str]:
    return list(prediction_findings(book.store, book.version(1), evidence, intervals=intervals))


@pytest.mark.usefixtures("attached")
@pytest.mark.parametrize("intervals", [True, False])
def test_the_figures_follow_from_the_predictions(book: Book, evidence: dict[str, Any], intervals: bool) -> None:
    assert found(book, evidence, intervals=intervals) == []


@pytest.mark.usefixtures("attached")
@pytest.mark.parametrize(
    ("section", "name", "end"),
    [("measures", "auc", "value"), ("measures", "ks", "low"), ("difference", "p", ""), ("difference", "auc", "")],
)
def test_a_figure_that_does_not_is_named(
    book: Book, evidence: dict[str, Any], section: str, name: str, end: str
) -> None:
    place = evidence["measures"]["measures"][name] if section == "measures" else evidence["difference"]
    place[end or name] += 1e-6
    expected = f"{name}.{end}" if end else f"difference.{name}"
    assert found(book, evidence) == [f"its figure {expected} is not that of its predictions"]


def test_changed_and_missing_predictions_are_named(book: Book, attached: Path, evidence: dict[str, Any]) -> None:
    flip(attached, -3)
    assert "were changed" in found(book, evidence)[0]
    attached.write_bytes(b"no array")
    assert "cannot be read" in found(book, evidence)[0]
    attached.unlink()
    assert "are missing" in found(book, evidence)[0]
    assert found(book, {key: value for key, value in evidence.items() if key != "predictions"}) == []
