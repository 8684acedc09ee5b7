"""Figures are as wide as they are shown, and the names of lines stand apart, in the order of the lines."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from tests.evidence.purchase_logs.distributions import PROBABILITIES, Distributions
from tests.evidence.purchase_logs.figures import CLOSEST, EMPHASIS, _label, draw_distributions, draw_features


def rising(to: float, returned: float = np.nan) -> Distributions:
    values = np.linspace(1, to, len(PROBABILITIES))
    return Distributions(values, values, values, values, returned)


@pytest.mark.parametrize("returns", [(0.02, 0.17), None], ids=["one log tells of returns", "none does"])
def test_distributions_are_drawn_with_and_without_returns(returns: tuple[float, float] | None, tmp_path: Path) -> None:
    path = tmp_path / "reports" / "distributions.png"
    draw_distributions(path, {"one": rising(300), "other": rising(20)}, rising(50, 0.05), returns)
    picture = imread(path)
    assert picture.shape[1] == 1_280
    emphasis = np.array([int(EMPHASIS[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    assert (np.abs(picture[..., :3] - emphasis).max(axis=2) < 0.01).sum() > 1_000
    assert [one.name for one in path.parent.iterdir()] == ["distributions.png"]


def test_features_are_drawn_with_gaps(tmp_path: Path) -> None:
    table = pd.DataFrame({"orders_30d": [0, 3, 70], "order_variation_30d": [np.nan, 0.4, 0.6], "empty": [np.nan] * 3})
    meanings = {"orders_30d": "number of orders", "order_variation_30d": "relative deviation", "empty": "nothing"}
    draw_features(tmp_path / "features.png", {"one": table, "simulated": table}, meanings)
    assert imread(tmp_path / "features.png").shape[1] == 1_280


def test_names_stand_apart_in_the_order_of_their_lines() -> None:
    axes = Figure().subplots()
    axes.set(yscale="log", ylim=(1, 400))
    ends = {"a": 350.0, "simulated": 340.0, "b": 360.0, "c": 2.0}
    _label(axes, ends, dict.fromkeys(ends, "black"))
    heights = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert sorted(heights, key=lambda name: -heights[name]) == ["b", "a", "simulated", "c"]
    ordered = sorted(heights.values())
    assert min(high - low for low, high in pairwise(ordered)) >= CLOSEST - 1e-9
    assert heights["c"] == pytest.approx(np.log(2) / np.log(400))
