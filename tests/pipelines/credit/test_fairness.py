"""Fairness by group: by hand, by law, and against fairlearn."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.credit.fairness import (
    Decisions,
    fairness,
    group_fairness,
    intersections,
    mean_difference,
    pooled,
)
from pipelines.credit.rates import katz_interval, wilson_interval
from pipelines.errors import ConfigurationError


def decided(rows: int = 900, seed: int = 0) -> tuple[dict[str, np.ndarray], Decisions]:
    generator = np.random.default_rng(seed)
    sex = generator.choice(["F", "M"], rows)
    band = generator.choice(["18-24", "25-34", "35-64"], rows, p=[0.2, 0.4, 0.4])
    points = np.rint(generator.normal(600, 50, rows) - 15 * (sex == "F")).astype(np.int64)
    probability = 1 / (1 + 15 * 2 ** ((points - 600) / 50))
    bad = np.where(points > 560, generator.random(rows) < probability, -1).astype(np.int8)
    return {"sex": sex, "age_band": band}, Decisions(points >= 590, points, bad, probability)


def test_a_group_by_hand() -> None:
    labels = np.array(["F"] * 4 + ["M"] * 4)
    decisions = Decisions(
        approved=np.array([True, False, True, False, True, True, True, True]),
        points=np.array([600, 500, 600, 500, 600, 600, 700, 700]),
        bad=np.array([0, 1, 1, -1, 0, 0, 0, 1], dtype=np.int8),
        probability=np.array([0.1, 0.4, 0.1, 0.4, 0.1, 0.1, 0.05, 0.05]),
    )
    women, men = group_fairness("sex", labels, decisions, minimum_group=4)
    assert (women.level, women.rows, women.enough, women.reference) == ("F", 4, True, False)
    assert (women.approval_rate, women.low, women.high) == pytest.approx((0.5, *wilson_interval(2, 4, 0.95)))
    assert (women.impact_ratio, women.ratio_low, women.ratio_high) == pytest.approx(
        (0.5, *katz_interval(2, 4, 4, 4, 0.95))
    )
    # then: means of 550 and 650 with the pooled variance 20,000 / 6
    assert women.mean_difference == pytest.approx(-100 / np.sqrt(20_000 / 6))
    # and: 0.6 expected of three known outcomes, two of them bad
    assert women.expected_to_observed == pytest.approx(0.6 / 2)
    low, high = wilson_interval(2, 3, 0.95)
    assert (women.eo_low, women.eo_high) == pytest.approx((0.2 / high, 0.2 / low))
    assert women.approved_among_good == 1
    assert men.reference
    assert (men.impact_ratio, men.ratio_low, men.ratio_high, men.mean_difference) == (1, 1, 1, 0)


def test_small_groups_are_told_and_not_compared_nor_a_reference() -> None:
    labels = np.array(["A"] * 3 + ["B"] * 40 + ["C"] * 40)
    approved = np.r_[np.ones(3, bool), np.arange(40) < 10, np.arange(40) < 20]
    zeros = np.zeros(83)
    decisions = Decisions(approved, np.arange(83), zeros.astype(np.int8), zeros + 0.1)
    a, b, c = group_fairness("group", labels, decisions, minimum_group=10)
    assert (a.enough, a.approval_rate, a.impact_ratio, a.mean_difference, a.eo_low) == (False, 1, None, None, None)
    assert (b.impact_ratio, c.reference) == (0.5, True)
    # and: no default was observed, so the ratio is open upwards
    assert (b.expected_to_observed, b.eo_high) == (None, None)
    assert b.eo_low == pytest.approx(0.1 / wilson_interval(0, 40, 0.95)[1])


def test_a_named_reference_is_taken_or_refused_by_name() -> None:
    protected, decisions = decided()
    groups = group_fairness("sex", protected["sex"], decisions, minimum_group=10, reference="F")
    assert [group.reference for group in groups] == [True, False]
    with pytest.raises(ConfigurationError, match="received 'W'"):
        group_fairness("sex", protected["sex"], decisions, minimum_group=10, reference="W")


def test_without_a_large_group_nothing_is_compared() -> None:
    protected, decisions = decided(60)
    assert all(group.impact_ratio is None for group in fairness(protected, decisions, minimum_group=100))


def test_small_groups_are_pooled_and_judged_together() -> None:
    labels = np.array(["A"] * 50 + ["B"] * 40 + ["C"] * 6 + ["D"] * 6 + ["E"] * 3)
    rows = len(labels)
    decisions = Decisions(np.arange(rows) % 2 == 0, np.arange(rows), np.zeros(rows, np.int8), np.full(rows, 0.1))
    groups = fairness({"group": labels}, decisions, minimum_group=15)
    assert [(one.level, one.rows, one.enough) for one in groups] == [
        ("A", 50, True),
        ("B", 40, True),
        ("other (3 small groups)", 15, True),
    ]
    # and: the pool is compared, and nothing is compared with it
    assert [one.reference for one in groups] == [True, False, False]
    assert groups[2].impact_ratio == pytest.approx(8 / 15 / 0.5)
    # and: one small group alone keeps its name, and is not judged
    few = pooled(labels[:96], 15)
    assert sorted(set(few.tolist())) == ["A", "B", "C"]
    assert not fairness({"group": few}, Decisions(*(one[:96] for one in vars(decisions).values())), minimum_group=15)[
        -1
    ].enough


def test_the_mean_difference_has_an_interval_that_covers_it() -> None:
    # given: two groups of normal points half a standard deviation apart, drawn again and again
    covered, generator, rows = 0, np.random.default_rng(4), 200
    labels = np.repeat(["F", "M"], rows)
    for _ in range(200):
        points = np.rint(np.r_[generator.normal(575, 50, rows), generator.normal(600, 50, rows)]).astype(np.int64)
        zeros = np.zeros(2 * rows)
        approved = labels == "M"
        women = group_fairness("sex", labels, Decisions(approved, points, zeros.astype(np.int8), zeros + 0.1),
                               minimum_group=10)[0]  # fmt: skip
        assert women.difference_low is not None
        assert women.difference_high is not None
        covered += women.difference_low <= -0.5 <= women.difference_high
    assert 180 <= covered <= 199


def test_intersections_are_groups_of_their_own() -> None:
    protected, decisions = decided()
    found = fairness(protected, decisions, minimum_group=50)
    assert [group.attribute for group in found] == ["sex"] * 2 + ["age_band"] * 3 + ["sex x age_band"] * 6
    both = next(group for group in found if group.level == "F x 18-24")
    rows = (protected["sex"] == "F") & (protected["age_band"] == "18-24")
    assert (both.rows, both.approval_rate) == (rows.sum(), pytest.approx(decisions.approved[rows].mean()))
    assert intersections({"sex": protected["sex"]}) == {}


def test_the_same_decisions_for_all_have_no_impact() -> None:
    protected, decisions = decided()
    for group in fairness(protected, replace(decisions, approved=np.ones(900, bool)), minimum_group=10):
        assert group.impact_ratio == 1


def test_nobody_approved_has_no_ratio() -> None:
    protected, decisions = decided()
    for group in fairness(protected, replace(decisions, approved=np.zeros(900, bool)), minimum_group=10):
        assert group.impact_ratio == (1 if group.reference else None)


def test_the_mean_difference_turns_with_its_groups_and_ignores_the_scale() -> None:
    generator = np.random.default_rng(1)
    one, other = generator.integers(400, 900, 30), generator.integers(450, 950, 50)
    found = mean_difference(one, other)
    assert found == pytest.approx(-mean_difference(other, one))  # type: ignore[operator]
    assert found == pytest.approx(mean_difference(one * 3 + 7, other * 3 + 7))
    assert mean_difference(np.full(4, 5), np.full(4, 6)) is None


def test_rates_and_ratios_agree_with_fairlearn() -> None:
    metrics = pytest.importorskip("fairlearn.metrics", reason="fairlearn is not installed")
    protected, decisions = decided()
    labels, approved = protected["age_band"], decisions.approved
    groups = group_fairness("age_band", labels, decisions, minimum_group=10)
    frame = metrics.MetricFrame(
        metrics={"rate": metrics.selection_rate}, y_true=approved, y_pred=approved, sensitive_features=labels
    )
    assert {group.level: pytest.approx(group.approval_rate) for group in groups} == dict(frame.by_group["rate"])
    lowest = metrics.demographic_parity_ratio(approved, approved, sensitive_features=labels)
    assert min(group.impact_ratio or 0 for group in groups) == pytest.approx(lowest)
    good = decisions.bad == 0
    frame = metrics.MetricFrame(
        metrics={"rate": metrics.selection_rate},
        y_true=approved[good],
        y_pred=approved[good],
        sensitive_features=labels[good],
    )
    assert {group.level: pytest.approx(group.approved_among_good) for group in groups} == dict(frame.by_group["rate"])
