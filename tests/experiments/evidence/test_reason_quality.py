"""True reasons of a known model score one; false and unsteady ones are found out."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from experiments.evidence.reason_quality import fidelity, reason_quality, spread_of, stability
from pipelines.candidates.portable_model import Floats
from pipelines.policy.pack import PolicySettings, ReasonSettings
from pipelines.scoring.reasons import Reasons, reasons_of
from tests.pipelines.scoring.test_reasons import Additive, described

ROWS = 400
POLICY = PolicySettings(approve_from=550, reasons=ReasonSettings(most=2))


def drawn(seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    table = pd.DataFrame({name: generator.normal(size=ROWS) for name in ("late_30", "late_90", "debt", "savings")})
    return table.assign(channel=generator.choice(["kiosk", "app", "shop"], ROWS, p=[0.2, 0.5, 0.3]))


def model() -> Additive:
    late = {name: described(name, "late", 0.0) for name in ("late_30", "late_90")}
    slopes = {"late_30": 0.8, "late_90": 0.5, "debt": 0.6, "savings": -0.4}
    return Additive(slopes, {"channel": {"kiosk": 0.3, "app": -0.3}}, late)


class Liar(Additive):
    """Decides as the additive model does and says that it is all due to the opposite."""

    def contributions(self, features: pd.DataFrame) -> tuple[float, Floats] | None:
        told = super().contributions(features)
        assert told is not None
        return told[0] + 2 * told[1].sum(axis=1)[0], -told[1]

    def log_odds(self, features: pd.DataFrame) -> Floats:
        return Additive.log_odds(model(), features)


class Fickle(Additive):
    """Tells reasons that depend on the last digits of its input."""

    def contributions(self, features: pd.DataFrame) -> tuple[float, Floats] | None:
        told = super().contributions(features)
        assert told is not None
        digits = features[self.numeric].to_numpy() * 1e6 % 1
        return told[0], np.column_stack([digits, told[1][:, len(self.numeric) :]])


def test_an_additive_model_that_tells_the_truth_is_believed() -> None:
    found = reason_quality(model(), drawn(), POLICY, seed=0)
    assert found["sampled"] > 50
    # what it claims is against zero, what is measured against fifty applicants, whose mean lies near it
    assert found["fidelity"] >= 0.98
    assert found["rank_agreement"] > 0.95
    assert found["stability"] > 0.97


def test_one_that_lies_is_found_out() -> None:
    truth = model()
    found = reason_quality(Liar(truth.slopes, truth.levels, truth.meanings), drawn(), POLICY, seed=0)
    assert found["fidelity"] < 0.15
    assert found["rank_agreement"] < 0.3


def test_reasons_that_hang_on_the_last_digits_are_found_out() -> None:
    truth = model()
    assert (
        reason_quality(Fickle(truth.slopes, truth.levels, truth.meanings), drawn(), POLICY, seed=0)["stability"] < 0.7
    )


def test_fidelity_by_hand() -> None:
    # The reference rows have debt 1 on average and come from the app twice in three: 0 for the shop, so -0.8 / 3.
    asked = pd.DataFrame({"debt": [3.0, 2.0, 0.5], "channel": ["app", "kiosk", "kiosk"]})
    reference = pd.DataFrame({"debt": [0.0, 1.0, 2.0], "channel": ["app", "app", "shop"]})
    truth = Additive({"debt": 0.5}, {"channel": {"kiosk": 0.4, "app": -0.4}})
    stated = Reasons([["debt"], ["debt", "channel"], ["debt"]], [[], [], []], [[1.5], [1.0, 0.4], [0.25]])
    fell, agreement = fidelity(truth, asked, stated, reference)
    assert fell == pytest.approx(2 / 3)  # from 3 and 2 to 1 the risk falls, from 0.5 to 1 it rises
    assert agreement == pytest.approx(spearmanr([1.5, 1.0, 0.25, 0.4], [1.0, 0.5, -0.25, 0.4 + 0.8 / 3]).statistic)


@pytest.mark.parametrize(
    ("before", "after", "index"), [(["a"], ["a"], 1.0), (["a", "b"], ["b", "c"], 1 / 3), (["a"], ["b"], 0.0)]
)
def test_stability_by_hand(
    before: Sequence[str], after: Sequence[str], index: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = pd.DataFrame({"debt": [1.0]})
    monkeypatch.setattr("experiments.evidence.reason_quality.reasons_of", lambda *_: Reasons([list(after)], [[]], [[]]))
    stated = Reasons([list(before)], [[]], [[]])
    found = stability(Additive({"debt": 1.0}), rows, stated, ReasonSettings(), {"debt": 1.0}, seed=0)
    assert found == pytest.approx(index)


def test_numbers_move_by_a_hundredth_of_their_spread_and_what_is_missing_stays_so() -> None:
    seen = []

    class Watching(Additive):
        def contributions(self, features: pd.DataFrame) -> tuple[float, Floats] | None:
            seen.append(features["debt"].to_numpy())
            return super().contributions(features)

    rows = pd.DataFrame({"debt": [1.0, np.nan, 3.0] * 50})
    spread = spread_of(pd.DataFrame({"debt": [0.0, 10.0, 20.0, 30.0, 40.0], "channel": ["a"] * 5}))
    assert spread == {"debt": 20.0}
    watching = Watching({"debt": 1.0})
    stability(watching, rows, reasons_of(watching, rows, ReasonSettings()), ReasonSettings(), spread, seed=0)
    moved = np.array(seen[1:]) - seen[0]
    assert np.nanmax(np.abs(moved)) <= 0.2
    assert np.nanmax(np.abs(moved)) > 0.15
    assert (np.isnan(moved) == np.isnan(seen[0])).all()


def test_where_nobody_is_declined_nothing_is_said() -> None:
    found = reason_quality(model(), drawn(), PolicySettings(approve_from=350), seed=0)
    assert found == {"sampled": 0, "fidelity": None, "rank_agreement": None, "stability": None, "groups": []}


def test_each_group_has_the_share_of_the_declined_that_are_told_it() -> None:
    found = reason_quality(model(), drawn(), POLICY, seed=0)
    shares = {one["group"]: one["share"] for one in found["groups"]}
    assert list(shares) == sorted(shares, key=lambda group: -shares[group])
    assert max(shares, key=lambda group: shares[group]) == "late"
    assert all(0 < share <= 1 for share in shares.values())
    assert sum(shares.values()) <= 2  # no more than two reasons each
    # and: what is shown as a part of a whole adds up to it
    for whole in ("first", "of_reasons"):
        assert sum(one[whole] for one in found["groups"]) == pytest.approx(1)
