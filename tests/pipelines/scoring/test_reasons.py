"""Reasons are the largest contributions by group, in words that are true."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.applications.meanings import Meaning
from pipelines.candidates.portable_model import Floats
from pipelines.policy.pack import ReasonSettings
from pipelines.scoring.reasons import notice, reason_groups, reasons_of


@dataclass
class Additive:
    """A model of known truth: each number counts by its slope from zero on, each category by its level."""

    slopes: dict[str, float]
    levels: dict[str, dict[str, float]] = field(default_factory=dict)
    meanings: dict[str, Any] = field(default_factory=dict)
    hash: str = "additive"

    def __post_init__(self) -> None:
        self.numeric, self.categorical = list(self.slopes), list(self.levels)

    def contributions(self, features: pd.DataFrame) -> tuple[float, Floats] | None:
        numbers = [np.nan_to_num(features[name].to_numpy(float)) * slope for name, slope in self.slopes.items()]
        names = [features[name].map(worth).fillna(0.0).to_numpy(float) for name, worth in self.levels.items()]
        return -1.0, np.column_stack([*numbers, *names])

    def log_odds(self, features: pd.DataFrame) -> Floats:
        told = self.contributions(features)
        assert told is not None
        return told[0] + told[1].sum(axis=1)

    def probability_of_bad(self, features: pd.DataFrame) -> Floats:
        return 1 / (1 + np.exp(-self.log_odds(features)))


def described(meaning: str, group: str, usual: object = None) -> dict[str, object]:
    return {**vars(Meaning(meaning, group)), "usual": usual}


MODEL = Additive(
    slopes={"late_30": 1.0, "late_90": 1.0, "debt": 1.5, "savings": -1.0},
    levels={"channel": {"kiosk": 0.4, "app": -0.4}},
    meanings={
        "late_30": described("late payments in 30 days", "late", 0.0),
        "late_90": described("late payments in 90 days", "late", 0.5),
        "debt": described("money owed", "debt", 1.0),
        "savings": described("savings", "savings", 2.0),
        "channel": described("where you applied", "channel", "app"),
    },
)


def table(**columns: list[Any]) -> pd.DataFrame:
    rows = len(next(iter(columns.values())))
    usual = {"late_30": [0.0], "late_90": [0.0], "debt": [0.0], "savings": [0.0], "channel": [None]}
    return pd.DataFrame({name: columns.get(name, values * rows) for name, values in usual.items()})


def test_features_of_one_group_are_one_reason_and_its_size_is_their_sum() -> None:
    found = reasons_of(MODEL, table(late_30=[1.0], late_90=[1.0], debt=[1.0]), ReasonSettings())
    assert found.groups == [["late", "debt"]]  # each late feature by itself is less than the debt
    assert found.sizes == [[2.0, 1.5]]


def test_what_lowers_the_risk_is_no_reason() -> None:
    found = reasons_of(MODEL, table(late_30=[1.0], late_90=[-3.0], savings=[5.0], debt=[0.2]), ReasonSettings())
    assert found.groups == [["debt"]]


@pytest.mark.parametrize("rows", [1, 40])
def test_an_application_that_nothing_makes_riskier_has_its_least_favourable_group_as_a_reason(rows: int) -> None:
    asked = table(late_30=[-1.0] * rows, savings=[3.0] * rows, channel=["app"] * rows)
    found = reasons_of(MODEL, asked, ReasonSettings())
    assert found.groups == [["channel"]] * rows  # -0.4, against -1 and -3; the debt adds nothing
    assert found.sizes == [[-0.4]] * rows
    assert found.words == [["where you applied"]] * rows
    found = reasons_of(MODEL, asked.assign(channel=None), ReasonSettings(wording={"late": "Late payments"}))
    assert found.words == [["Late payments"]] * rows
    found = reasons_of(MODEL, asked.assign(late_30=0.0, channel=None), ReasonSettings())
    assert found.words == [["savings"]] * rows  # they are higher than usual, which is not why


@pytest.mark.parametrize("rows", [1, 40])
def test_an_application_to_which_no_feature_adds_anything_has_the_score_as_its_reason(rows: int) -> None:
    found = reasons_of(MODEL, table(debt=[0.0] * rows), ReasonSettings())
    assert found.words == found.groups == [["score below the cut-off"]] * rows


def test_no_more_reasons_than_the_policy_tells() -> None:
    asked = table(late_30=[1.0, 0.0], debt=[1.0, 0.1], savings=[-0.2, 0.0], channel=["kiosk", "kiosk"])
    found = reasons_of(MODEL, asked, ReasonSettings(most=2))
    assert found.groups == [["debt", "late"], ["channel", "debt"]]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (3.0, "money owed (higher than usual)"),
        (0.5, "money owed (lower than usual)"),
        (1.0, "money owed"),
    ],
)
def test_a_direction_is_told_as_it_is(value: float, words: str) -> None:
    assert reasons_of(MODEL, table(debt=[value]), ReasonSettings()).words == [[words]]


def test_what_is_not_known_is_called_so() -> None:
    model = Additive({"income": 1.0}, {"job": {"none": 1.0}}, {"income": described("income", "income", 1.0)})
    model.contributions = lambda features: (0.0, np.full((len(features), 2), 1.0))  # type: ignore[method-assign]
    found = reasons_of(model, pd.DataFrame({"income": [np.nan], "job": [None]}), ReasonSettings())
    assert found.words == [["income (not known)", "job (not known)"]]


def test_the_leading_member_gives_the_words() -> None:
    asked = table(late_30=[2.0, 1.0], late_90=[1.0, 2.0])
    assert reasons_of(MODEL, asked, ReasonSettings()).words == [
        ["late payments in 30 days (higher than usual)"],
        ["late payments in 90 days (higher than usual)"],
    ]


def test_a_policy_has_the_last_word() -> None:
    settings = ReasonSettings(wording={"late": "Delinquent past or present credit obligations"})
    found = reasons_of(MODEL, table(late_30=[2.0], debt=[1.0]), settings)
    assert found.words == [["Delinquent past or present credit obligations", "money owed"]]


def test_a_notice_frames_the_reasons() -> None:
    settings = ReasonSettings(opening="Because of:", notice="You may ask for a person to look at it.")
    assert notice(["few orders", "debts"], settings) == [
        "Because of:",
        "1. few orders",
        "2. debts",
        "You may ask for a person to look at it.",
    ]


def test_a_feature_that_nobody_described_goes_by_its_name() -> None:
    model = Additive({"monthly_debt": 1.0})
    found = reasons_of(model, pd.DataFrame({"monthly_debt": [2.0]}), ReasonSettings())
    assert (found.groups, found.words) == ([["monthly_debt"]], [["monthly debt"]])
    assert reason_groups(model) == {"monthly_debt": ["monthly_debt"]}


def test_a_model_that_does_not_tell_gives_no_reasons() -> None:
    model = Additive({"x": 1.0})
    model.contributions = lambda _: None  # type: ignore[method-assign]
    assert reasons_of(model, pd.DataFrame({"x": [2.0, 1.0]}), ReasonSettings()).words == [[], []]


def test_nobody_has_no_reasons() -> None:
    assert reasons_of(MODEL, table(debt=[1.0]).head(0), ReasonSettings()).groups == []


@pytest.mark.parametrize("seed", range(20))
def test_everyone_has_a_reason(seed: int) -> None:
    generator = np.random.default_rng(seed)
    rows = {name: generator.normal(-2, 1, 40).round().tolist() for name in ("late_30", "late_90", "debt")}
    found = reasons_of(MODEL, table(**rows, savings=generator.normal(2, 1, 40).round().tolist()), ReasonSettings())
    assert all(found.words)
    assert [len(one) for one in found.words] == [len(one) for one in found.groups] == [len(one) for one in found.sizes]
    assert all(len(one) == 1 or min(one) > 0 for one in found.sizes)


def test_reasons_do_not_depend_on_the_rows_beside_them() -> None:
    generator = np.random.default_rng(0)
    rows = {name: generator.normal(size=50).round(1).tolist() for name in ("late_30", "late_90", "debt", "savings")}
    asked = table(**rows, channel=generator.choice(["kiosk", "app", "shop"], 50).tolist())
    together = reasons_of(MODEL, asked, ReasonSettings())
    for row in range(50):
        alone = reasons_of(MODEL, asked.iloc[[row]], ReasonSettings())
        assert (alone.words[0], alone.sizes[0]) == (together.words[row], together.sizes[row])
