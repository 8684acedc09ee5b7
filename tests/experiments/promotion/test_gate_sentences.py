"""Each gate at its bound, inside and outside of it, and not measured: the printed line has all that decided."""

from dataclasses import replace
from typing import Any

import pytest

from experiments.promotion.gates.gate import GateResult
from experiments.promotion.gates.judgement import check_gate_names, gates, judge, lets_through
from pipelines.errors import ConfigurationError
from pipelines.policy.decision_rule import Decides
from pipelines.policy.pack import Claim, FairnessSettings, GateSettings, PolicySettings, check_policy
from tests.experiments.promotion.test_gates import changed, direction, group

FAIRNESS = FairnessSettings(
    lowest_impact_ratio=0.8,
    largest_mean_difference=0.5,
    lowest_expected_to_observed=0.8,
    highest_expected_to_observed=1.25,
)
GATES = GateSettings(monotone=0.01)
POLICY = PolicySettings(gates=GATES, fairness=FAIRNESS)
REFRESH = PolicySettings(gates=replace(GATES, claim=Claim.not_inferior), fairness=FAIRNESS)

MEN = group("M", 1.0, 0.0, (1.0, 0.9, 1.1))
CLEAN = {"fairness": [MEN, group("F", 0.95, -0.1, (1.0, 0.9, 1.1))], "monotonicity": [direction("age", 0.0)]}


def women(**figures: float) -> dict[str, Any]:
    return {"fairness": [MEN, group("F", 0.95, -0.1, (1.0, 0.9, 1.1)) | figures]}


def earlier(**decisions: int) -> list[dict[str, Any]]:
    return [{"decision": decision} for decision, count in decisions.items() for _ in range(count)]


def result(gate: str, change: dict[str, Any], policy: PolicySettings = POLICY) -> GateResult:
    return next(one for one in judge(changed(**(CLEAN | change)), policy) if one.gate == gate)


AUC, RATIO = "measures__measures__auc", "measures__measures__expected_to_observed"
DIFFERENCE, SWAP = "difference__p", "swap_set__observed_floor"

CASES: list[tuple[str, dict[str, Any], str]] = [
    (
        "outcome maturity",
        {"about__outcomes_known_by": "2026-11-25T10:00:00"},
        "passed  outcome maturity: the last outcome was known on 2026-11-25; required: not after the evidence was made "
        "on 2026-11-25; the date decides: met",
    ),
    ("outcome maturity", {"about__outcomes_known_by": "2026-11-24T10:00:00"}, "passed  … the date decides: met"),
    ("outcome maturity", {"about__outcomes_known_by": "2026-11-26T10:00:00"}, "FAILED  … is only known on 2026-11-26"),
    ("outcome maturity", {}, "not measured  outcome maturity: assumed (the table has no outcome dates)"),
    (
        "enough outcomes",
        {"measures__bad": 30},
        "passed  enough outcomes: 30 bad and 970 good applications in the test part; required: at least 30 of each "
        "outcome; the smaller count decides: met exactly",
    ),
    ("enough outcomes", {"measures__bad": 31}, "passed  … 31 bad and 969 good … met by 1"),
    ("enough outcomes", {"measures__bad": 28}, "FAILED  … 28 bad and 972 good … missed by 2"),
    ("enough outcomes", {"measures__bad": 975}, "FAILED  … 975 bad and 25 good … missed by 5"),
    ("enough outcomes", {"measures__bad": None}, "NOT MEASURED  … the evidence has no measures.bad"),
    ("no twins", {}, "passed  … 0 of 300 test applications … required: none; the count decides: met"),
    ("no twins", {"twins__across": 1}, "FAILED  … 1 of 300 test applications … the count decides: missed"),
    ("no twins", {"twins": None}, "NOT MEASURED  … the evidence has no twins.across"),
    (
        "tests of one test part",
        {"earlier_tests": earlier(refused=40, requested=9)},
        "passed  tests of one test part: test 50 of this model on its test part (40 of 49 before were refused); "
        "required: at most 50; the count decides: met exactly",
    ),
    ("tests of one test part", {}, "passed  … test 1 of this model … (0 of 0 before were refused) … met by 49"),
    (
        "tests of one test part",
        {"earlier_tests": earlier(refused=41, requested=9)},
        "FAILED  … test 51 of this model on its test part (41 of 50 before were refused) … missed by 1; tune on newer",
    ),
    ("tests of one test part", {"earlier_tests": None}, "NOT MEASURED  … the evidence has no earlier_tests"),
    (
        "discrimination",
        {AUC: {"value": 0.6, "low": 0.57, "high": 0.63}},
        "passed  discrimination: AUC 0.6000 (95% interval 0.5700 to 0.6300); required: at least 0.6; the figure "
        "decides: met exactly",
    ),
    ("discrimination", {}, "passed  … AUC 0.7500 (95% interval 0.7300 to 0.7700) … met by 0.1500"),
    ("discrimination", {f"{AUC}__value": 0.59}, "FAILED  … AUC 0.5900 … the figure decides: missed by 0.0100"),
    ("discrimination", {f"{AUC}__value": 0.59999}, "FAILED  … AUC 0.6000 … the figure decides: missed by 1e-05"),
    ("discrimination", {AUC: None}, "NOT MEASURED  … the evidence has no measures.measures.auc"),
    (
        "calibration",
        {RATIO: {"value": 1.33, "low": 1.2, "high": 1.46}},
        "passed  calibration: expected over observed defaults 1.330 (95% interval 1.200 to 1.460); required: from 0.75 "
        "to 1.33; the figure decides: met exactly",
    ),
    ("calibration", {f"{RATIO}__value": 0.75}, "passed  … 0.750 … met exactly"),
    ("calibration", {}, "passed  … 1.020 (95% interval 0.900 to 1.160) … met by 0.270"),
    ("calibration", {f"{RATIO}__value": 0.7}, "FAILED  … 0.700 … missed by 0.050"),
    ("calibration", {f"{RATIO}__value": 1.4}, "FAILED  … 1.400 … missed by 0.070"),
    ("calibration", {RATIO: None}, "NOT MEASURED  … the evidence has no measures.measures.expected_to_observed"),
    (
        "score stability",
        {"development__psi": 0.28},
        "passed  score stability: PSI of the score from development to the test part 0.280; required: at most 0.280, "
        "0.25 and the 0.030 that noise alone reaches; the figure decides: met exactly",
    ),
    ("score stability", {}, "passed  … 0.020 … met by 0.260"),
    ("score stability", {"development__psi": 0.29}, "FAILED  … 0.290 … missed by 0.010"),
    ("score stability", {"development__noise": None}, "NOT MEASURED  … the evidence has no development.noise"),
    (
        "declared directions",
        {"monotonicity": [direction("age", 0.01)]},
        "FAILED  … age (safer: in 1.0% of 200 applications, by up to 0.2 log-odds); required: against the declared "
        "direction of a feature in at most 0.5% of the applications; the largest share decides: missed by 0.5%",
    ),
    (
        "declared directions",
        {"monotonicity": [direction("age", 0.005)]},
        "passed  … largest share decides: met exactly",
    ),
    ("declared directions", {}, "passed  … the score keeps to the declared direction of age … met by 0.5%"),
    ("declared directions", {"monotonicity": []}, "NOT MEASURED  … no direction is declared; set data.directions"),
    (
        "no leak",
        {},
        "passed  no leak: features of 1,000 applications are identical when recomputed from the data known at the "
        "time; required: identical to the features of a lake cut at the observation time; the count of features "
        "decides: met",
    ),
    ("no leak", {"leak__differing": {"orders": 3}}, "FAILED  … 1 features differ … orders (3) … decides: missed"),
    (
        "no leak",
        {"leak": {"kind": "not possible", "why": "the lake is gone"}},
        "NOT MEASURED  no leak: the lake is gone",
    ),
    (
        "impact ratio",
        women(impact_ratio=0.8, ratio_low=0.75, ratio_high=0.86),
        "passed  impact ratio: impact ratio 0.800 (95% interval 0.750 to 0.860) for sex F (500 applications); "
        "required: at least 0.8; the figure decides: met exactly",
    ),
    ("impact ratio", {}, "passed  … 0.950 … met by 0.150"),
    ("impact ratio", women(impact_ratio=0.78), "FAILED  … 0.780 … missed by 0.020"),
    ("impact ratio", {"fairness": []}, "NOT MEASURED  … no protected attribute has a group that is large enough"),
    ("impact ratio", {"fairness": [MEN]}, "NOT MEASURED  … no group is large enough to be compared with the reference"),
    ("mean difference of points", women(mean_difference=-0.5), "passed  … -0.500 … from -0.5 to 0.5 … met exactly"),
    ("mean difference of points", {}, "passed  … -0.100 (95% interval -0.200 to 0.000) … met by 0.400"),
    ("mean difference of points", women(mean_difference=-0.6), "FAILED  … -0.600 … missed by 0.100"),
    ("mean difference of points", women(mean_difference=0.6), "FAILED  … 0.600 … missed by 0.100"),
    ("mean difference of points", {"fairness": []}, "NOT MEASURED  … declare data.protected"),
    (
        "calibration by group",
        women(expected_to_observed=1.4, eo_low=1.25, eo_high=1.5),
        "passed  calibration by group: expected over observed defaults 1.400 (95% interval 1.250 to 1.500) for sex F "
        "(500 applications); required: from 0.8 to 1.25; the best end of the interval, 1.250, decides: met exactly",
    ),
    ("calibration by group", {}, "passed  … 1.000 … the best end of the interval, 1.100, decides: met by 0.300"),
    ("calibration by group", women(eo_low=1.26), "FAILED  … the best end of the interval, 1.260, decides: missed by"),
    ("calibration by group", women(eo_low=0.5, eo_high=0.7), "FAILED  … best end of the interval, 0.700, decides"),
    ("calibration by group", {"fairness": []}, "NOT MEASURED  … declare data.protected"),
    ("same test part", {}, "passed  … its own; required: the champion was not trained … the champion's record decides"),
    ("same test part", {"comparable__unseen": False}, "FAILED  … the champion's record decides: missed"),
    ("same test part", {"comparable__unseen": None}, "not measured  same test part: its own"),
    ("same outcome", {}, "passed  … both predict a; required: one loan contract for both; their records decide: met"),
    ("same outcome", {"comparable__outcome__champion": "b"}, "FAILED  … the champion predicts b, the challenger a"),
    ("same outcome", {"comparable__outcome__champion": None}, "not measured  … a record does not name the outcome"),
    (
        "superior to the champion",
        {DIFFERENCE: 0.05 / 2},
        "passed  superior to the champion: AUC +0.0200 against the champion (95% interval +0.0050 to +0.0350, paired "
        "DeLong), p-value 0.025; required: one-sided p-value of a difference above 0 at most 0.025; the p-value "
        "decides: met, proven better",
    ),
    ("superior to the champion", {}, "passed  … p-value 0.004 … met, proven better"),
    ("superior to the champion", {DIFFERENCE: 0.026}, "FAILED  … p-value 0.026 … missed, not proven better"),
    ("superior to the champion", {"difference": None}, "NOT MEASURED  … the evidence has no difference"),
    (
        "profit at the cut-off",
        {SWAP: -0.005},
        "passed  profit at the cut-off: profit at the cut-off changes by +0.0040 per unit applied for (95% interval "
        "+0.0000 to +0.0080, one-sided lower bound -0.0050) where outcomes are observed; required: lower bound at "
        "least -0.005; the lower bound decides: met by 0.0000",
    ),
    ("profit at the cut-off", {}, "passed  … the lower bound decides: met by 0.0060"),
    ("profit at the cut-off", {SWAP: -0.0061}, "FAILED  … the lower bound decides: missed by 0.0011"),
    ("profit at the cut-off", {"swap_set": None}, "NOT MEASURED  … the evidence has no swap_set.observed_change"),
    ("profit where it is inferred", {}, "warned  … +0.0200 per unit applied for, 10 swapped … missed by 0.0450"),
    (
        "profit where it is inferred",
        {"swap_set__inferred_change__low": -0.005},
        "passed  … lower bound decides: met by",
    ),
    ("profit where it is inferred", {"swap_set__inferred_change__low": 0.0}, "passed  … lower bound decides: met by"),
    ("profit where it is inferred", {"swap_set": None}, "not measured  … the evidence has no swap_set"),
    (
        "approval rate",
        {"cutoffs": [{"approve_from": 550, "is_policy": True, "approval_rate": 0.07}]},
        "warned  approval rate: approval rate 7.0% (95% interval 6.0% to 8.2%) of 2,000 applicants from 550 points on; "
        "required: from 10% to 97%; the figure decides: missed by 3.0%",
    ),
    ("approval rate", {}, "passed  … 70.0% … met by 27.0%"),
    (
        "approval rate",
        {"cutoffs": [{"approve_from": 550, "is_policy": True, "approval_rate": 0.99}]},
        "warned  … 99.0% … missed by 2.0%",
    ),
    (
        "approval rate",
        {"cutoffs": [{"approve_from": 550, "is_policy": True, "approval_rate": 0.1}]},
        "passed  … 10.0% … met exactly",
    ),
    ("approval rate", {"cutoffs": []}, "not measured  … the table of cut-offs lacks that of the policy"),
    (
        "scores at the ends of the scale",
        {"points__at_lowest": 667},
        "warned  scores at the ends of the scale: share of scores at 350, the lowest points of the scale, 33.4% (95% "
        "interval 31.3% to 35.4%) of 2,000 applicants; required: at most 10%; the figure decides: missed by 23.4%",
    ),
    ("scores at the ends of the scale", {"points__at_highest": 200}, "passed  … at 950, the highest … met exactly"),
    ("scores at the ends of the scale", {}, "passed  … at 350, the lowest points of the scale, 1.0% … met by 9.0%"),
    ("scores at the ends of the scale", {"points": None}, "not measured  … the evidence has no points.rows"),
    (
        "ranking by points",
        {"points__loss__value": 0.01, "points__auc_of_points": 0.74},
        "warned  ranking by points: points lose AUC 0.0100 (95% interval -0.0001 to 0.0003) against the PD (0.7400 and "
        "0.7500); required: at most 0.002; the figure decides: missed by 0.0080",
    ),
    ("ranking by points", {"points__loss__value": 0.002}, "passed  … met exactly"),
    ("ranking by points", {}, "passed  … 0.0001 … met by 0.0019"),
    ("ranking by points", {"points": None}, "not measured  … the evidence has no points.loss"),
]


@pytest.mark.parametrize(("gate", "change", "expected"), CASES, ids=lambda one: one if isinstance(one, str) else "")
def test_the_printed_line_has_the_figure_its_interval_the_bound_and_what_decides(
    gate: str, change: dict[str, Any], expected: str
) -> None:
    line = result(gate, change, replace(POLICY, gates=replace(GATES, monotone=0.005))).line
    at = 0
    for part in expected.split("…"):
        assert part.strip() in line[at:], line
        at += line[at:].index(part.strip())
    assert line.startswith(expected.split("  ", 1)[0] + "  ")
    assert "exception" not in line


def test_every_gate_is_judged_at_its_bound_inside_outside_and_not_measured() -> None:
    names = {one.name for one in gates()} - {"not inferior to the champion"}
    marks = {"passed": {"passed"}, "failed": {"FAILED", "warned"}, "not measured": {"not measured", "NOT MEASURED"}}
    for answer, shown in marks.items():
        assert {gate for gate, _, line in CASES if line.split("  ")[0] in shown} == names, answer


def test_a_refresh_is_judged_by_its_margin() -> None:
    line = result("not inferior to the champion", {DIFFERENCE: 0.03}, REFRESH).line
    assert line.startswith("FAILED  not inferior to the champion: AUC +0.0200 against the champion")
    assert "p-value of a difference above -0.005 at most 0.025; the p-value decides: missed, not proven not" in line


@pytest.mark.parametrize(
    ("decides", "marks"),
    [
        (Decides.figure, ["passed", "passed", "passed", "passed", "passed", "passed"]),
        (Decides.worst_end, ["FAILED", "FAILED", "FAILED", "FAILED", "FAILED", "warned"]),
        (Decides.best_end, ["passed", "passed", "passed", "passed", "passed", "passed"]),
    ],
)
def test_one_rule_of_the_policy_decides_every_figure_with_an_interval(decides: Decides, marks: list[str]) -> None:
    # given figures inside their bounds whose intervals reach out of them
    doubtful = women(
        impact_ratio=0.82, ratio_low=0.7, ratio_high=0.9, mean_difference=-0.45, difference_low=-0.55, eo_high=1.3
    ) | {AUC: {"value": 0.61, "low": 0.58, "high": 0.64}, RATIO: {"value": 1.2, "low": 1.0, "high": 1.4}}
    doubtful |= {"points__loss": {"value": 0.001, "low": 0.0, "high": 0.003}}
    policy = replace(POLICY, gates=replace(GATES, decides=decides, decides_by_gate={}))
    names = ["discrimination", "calibration", "impact ratio", "mean difference of points", "calibration by group"]
    results = [result(name, doubtful, policy) for name in [*names, "ranking by points"]]
    assert [one.mark for one in results] == marks
    assert {one.decides for one in results} == {decides.value}


@pytest.mark.parametrize("name", ["impact ratio", "four-fifths ratio", "fairness"])
def test_a_gate_or_its_section_may_be_decided_otherwise(name: str) -> None:
    policy = replace(POLICY, gates=replace(GATES, decides_by_gate={name: Decides.worst_end}))
    check_gate_names(policy)
    assert result("impact ratio", women(ratio_low=0.79), policy).mark == "FAILED"
    assert result("discrimination", {}, policy).decides == "figure"


def test_what_has_no_interval_cannot_be_decided_by_an_end_of_it() -> None:
    policy = PolicySettings(gates=GateSettings(decides_by_gate={"no twins": Decides.best_end}))
    with pytest.raises(ConfigurationError, match="'no twins', whose figure has no interval; name one of approval rate"):
        check_gate_names(policy)


def test_a_policy_may_limit_the_tests_of_one_test_part_otherwise_or_not_at_all() -> None:
    used = changed(earlier_tests=earlier(refused=2, requested=1))
    marks = []
    for most in (4, 3, None):
        policy = PolicySettings(gates=GateSettings(most_tests_of_one_test_part=most))
        check_policy(policy)
        marks.append([one.mark for one in judge(used, policy) if one.gate == "tests of one test part"])
    assert marks == [["passed"], ["FAILED"], []]
    with pytest.raises(ConfigurationError, match="most_tests_of_one_test_part must be at least 1, received 0"):
        check_policy(PolicySettings(gates=GateSettings(most_tests_of_one_test_part=0)))


def test_warnings_do_not_block_unless_the_policy_lists_them() -> None:
    few = {"cutoffs": [{"approve_from": 550, "is_policy": True, "approval_rate": 0.07}]}
    policy = replace(POLICY, gates=replace(GATES, blocking=["approval rate"]))
    check_gate_names(policy)
    assert (result("approval rate", few).mark, result("approval rate", few, policy).mark) == ("warned", "FAILED")
    everything = changed(**(CLEAN | few))
    assert (lets_through(judge(everything, POLICY)), lets_through(judge(everything, policy))) == (True, False)


def test_an_attribute_without_groups_keeps_a_gate_from_passing_and_not_from_failing() -> None:
    ungrouped = {"ungrouped": {"income": "income has 300 different numbers and no bands"}}
    low = women(impact_ratio=0.7)
    assert result("impact ratio", ungrouped).line.startswith("NOT MEASURED  impact ratio: income has 300 different")
    assert result("impact ratio", ungrouped | low).mark == "FAILED"


def test_groups_that_are_not_judged_are_named() -> None:
    few = group("X", 0.2, 0.0, (1.0, 0.9, 1.1)) | {"enough": False}
    no_default = group("Y", 0.9, 0.0, (1.0, 0.9, 1.1)) | {"expected_to_observed": None}
    groups = {"fairness": [*CLEAN["fairness"], few, no_default]}
    assert "not measured: sex X (too few applications)" in result("impact ratio", groups).sentence
    named = "not measured: sex X (too few applications); sex Y (nothing to divide by)"
    assert result("calibration by group", groups).sentence.endswith(named)


def test_a_group_without_a_default_is_judged_where_chance_cannot_explain_it() -> None:
    # given: 40 defaults are expected of 500 applications, and none was observed
    safe = group("Y", 0.9, 0.0, (1.0, 0.9, 1.1)) | {"expected_to_observed": None, "eo_low": 10.5, "eo_high": None}
    judged = result("calibration by group", {"fairness": [*CLEAN["fairness"], safe]})
    assert judged.line.startswith(
        "FAILED  calibration by group: expected over observed defaults above 10.500 for sex Y (500 applications); "
        "required: from 0.8 to 1.25; the figure decides: missed by 9.250"
    )


@pytest.mark.parametrize("edges", [[], [30, 20], [20, 20], ["a"], [float("nan")]])
def test_bands_must_ascend(edges: list[Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"policy\.fairness\.bands\.age is .*; list the edges"):
        check_policy(PolicySettings(fairness=FairnessSettings(bands={"age": edges})))
