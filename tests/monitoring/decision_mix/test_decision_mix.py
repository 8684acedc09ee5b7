"""Groups of the monthly report are those of the gates, and are low only by the bound and the rule of the policy."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from monitoring.decision_mix import decision_mix
from monitoring.decision_mix.decision_mix import GroupDecisions
from pipelines.policy.decision_rule import Decides
from pipelines.policy.pack import FairnessSettings, GateSettings, PolicySettings

ROWS = 1000
FOUR_FIFTHS = PolicySettings(fairness=FairnessSettings(lowest_impact_ratio=0.8))


class Log:
    """A log of decisions in which 70% of the young and 95% of the others are approved."""

    def __init__(self, ages: "pd.Series[Any]") -> None:
        self.ages = ages

    def protected(self, key: object) -> pd.DataFrame:  # noqa: ARG002
        return pd.DataFrame({"decision_id": [str(row) for row in range(ROWS)], "age": self.ages.astype(str)})

    def decisions(self, key: object) -> pd.DataFrame:  # noqa: ARG002
        is_young = (self.ages < 40).to_numpy()
        rank = np.where(is_young, np.cumsum(is_young) % 20, np.cumsum(~is_young) % 20)
        approved = rank < np.where(is_young, 14, 19)
        return pd.DataFrame(
            {
                "decision_id": [str(row) for row in range(ROWS)],
                "decision": np.where(approved, "approved", "declined"),
                "points": 600,
                "pd": 0.05,
            }
        )


def groups(policy: PolicySettings, ages: Any = None) -> dict[str, GroupDecisions]:
    ages = pd.Series(np.arange(ROWS) % 60 + 20) if ages is None else ages
    found = decision_mix._groups(Log(ages), None, policy)  # type: ignore[arg-type]
    return {one.group: one for one in found}


def test_ages_are_grouped_in_the_bands_of_the_policy() -> None:
    bands = replace(FOUR_FIFTHS, fairness=FairnessSettings(lowest_impact_ratio=0.8, bands={"age": [40, 62]}))
    found = groups(bands)
    assert list(found) == ["40 to under 62", "62 or more", "under 40"]
    assert sum(one.rows for one in found.values()) == ROWS
    assert [one.is_low for one in found.values()] == [False, False, True]
    assert found["under 40"].ratio == pytest.approx(0.7 / 0.95, abs=0.02)


def test_single_years_without_bands_are_not_reported() -> None:
    assert groups(replace(FOUR_FIFTHS, fairness=FairnessSettings(lowest_impact_ratio=0.8, bands={}))) == {}


def test_small_groups_are_pooled() -> None:
    ages = pd.Series(np.where(np.arange(ROWS) < 20, 20, np.where(np.arange(ROWS) < 40, 35, 50)))
    assert list(groups(FOUR_FIFTHS, ages)) == ["45 to under 55", "other (2 small groups)"]


def test_without_a_bound_no_group_is_low() -> None:
    assert not any(one.is_low for one in groups(PolicySettings()).values())


@pytest.mark.parametrize(
    ("decides", "is_low"), [(Decides.figure, True), (Decides.worst_end, True), (Decides.best_end, False)]
)
def test_the_rule_of_the_gate_decides(decides: Decides, is_low: bool) -> None:
    fairness = FairnessSettings(lowest_impact_ratio=0.76, bands={"age": [40]})
    gates = GateSettings(decides_by_gate={"fairness": decides})
    assert groups(PolicySettings(fairness=fairness, gates=gates))["under 40"].is_low is is_low
