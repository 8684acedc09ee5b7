"""Gates judge the evidence record alone; what it lacks is not measured, and each sentence names the difference."""

import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from experiments.document import write_document
from experiments.promotion import gates as package
from experiments.promotion.gates.auc_claim import alpha_for
from experiments.promotion.gates.gate import NOT_MEASURED
from experiments.promotion.gates.judgement import check_gate_names, gates, judge, lets_through
from pipelines.errors import ConfigurationError
from pipelines.policy.pack import Claim, FairnessSettings, GateSettings, PolicySettings
from pipelines.storage.fingerprint import fingerprint_record
from tests.experiments.ledgers import Book, evidence_of

EVIDENCE: dict[str, Any] = {
    "about": {"champion": {"version": 1}, "made_at": "2026-11-25T10:00:00+00:00", "outcomes_known_by": None},
    "measures": {
        "rows": 1000,
        "bad": 100,
        "measures": {
            "auc": {"value": 0.75, "low": 0.73, "high": 0.77},
            "expected_to_observed": {"value": 1.02, "low": 0.9, "high": 1.16},
        },
    },
    "cutoffs": [
        {"approve_from": 525, "is_policy": False, "approval_rate": 0.9},
        {"approve_from": 550, "is_policy": True, "approval_rate": 0.7},
    ],
    "points": {
        "rows": 2000,
        "at_lowest": 20,
        "at_highest": 0,
        "auc_of_pd": 0.75,
        "auc_of_points": 0.7499,
        "loss": {"value": 0.0001, "low": -0.0001, "high": 0.0003},
    },
    "development": {"psi": 0.02, "noise": 0.03},
    "leak": {"kind": "recomputed", "sampled": 1000, "differing": {}},
    "twins": {"rows": 8, "kinds": "8 exact copies", "across": 0, "test_rows": 300},
    "fairness": [],
    "comparable": {"unseen": True, "why": "its own", "outcome": {"challenger": "a", "champion": "a"}},
    "difference": {"auc": 0.02, "low": 0.005, "high": 0.035, "p": 0.004},
    "tried_before": 0,
    "earlier_tests": [],
    "swap_set": {
        "observed_change": {"value": 0.004, "low": 0.0, "high": 0.008},
        "observed_floor": 0.001,
        "inferred_change": {"value": 0.0, "low": -0.05, "high": 0.02},
        "newly_approved": {"inferred": {"rows": 10}},
        "newly_declined": {"inferred": {"rows": 0}},
    },
}


MATURITY = ["outcome maturity"]
"""The evidence has no outcome dates."""


def changed(**parts: Any) -> dict[str, Any]:
    evidence = deepcopy(EVIDENCE)
    for path, value in parts.items():
        *above, last = path.split("__")
        place = evidence
        for name in above:
            place = place[name]
        place[last] = value
    return evidence


def failed(evidence: dict[str, Any], policy: PolicySettings | None = None) -> list[str]:
    return [gate.gate for gate in judge(evidence, policy or PolicySettings()) if not gate.passed and gate.blocking]


def test_good_evidence_passes_every_gate_and_what_is_advisory_does_not_block() -> None:
    results = judge(EVIDENCE, PolicySettings())
    assert lets_through(results)
    assert [(gate.gate, gate.answer) for gate in results if not gate.passed] == [
        ("outcome maturity", NOT_MEASURED),
        ("profit where it is inferred", "failed"),
    ]


@pytest.mark.parametrize("part", ["measures", "development", "leak", "twins", "comparable", "difference", "swap_set"])
def test_evidence_that_is_missing_is_refused(part: str) -> None:
    refused = [gate for gate in judge(changed(**{part: None}), PolicySettings()) if not gate.passed and gate.blocking]
    assert refused
    assert all(gate.answer == NOT_MEASURED for gate in refused)


@pytest.mark.parametrize("side", ["newly_approved", "newly_declined"])
def test_a_swap_set_without_its_inferred_rows_is_refused_although_inferred_profit_is_advisory(side: str) -> None:
    evidence = changed(**{f"swap_set__{side}": {"inferred": {}}})
    (refused,) = (gate for gate in judge(evidence, PolicySettings()) if not gate.passed and gate.blocking)
    assert (refused.gate, refused.answer) == ("profit at the cut-off", NOT_MEASURED)
    assert f"swap_set.{side}.inferred.rows" in refused.sentence
    assert not lets_through(judge(evidence, PolicySettings()))


@pytest.mark.parametrize(
    ("change", "gate"),
    [
        ({"about__outcomes_known_by": "2026-11-26T00:00:00"}, "outcome maturity"),
        ({"measures__bad": 29}, "enough outcomes"),
        ({"measures__bad": 980}, "enough outcomes"),
        ({"measures__measures__auc__value": 0.59}, "discrimination"),
        ({"measures__measures__expected_to_observed__value": 1.4}, "calibration"),
        ({"development__psi": 0.29}, "score stability"),
        ({"twins__across": 1}, "no twins"),
        ({"earlier_tests": [{"decision": "requested"}] * 50}, "tests of one test part"),
        ({"leak__differing": {"orders_90d": 3}}, "no leak"),
        ({"leak": {"kind": "not possible", "why": "the lake is gone"}}, "no leak"),
        ({"leak": {"kind": "single_feature", "telling": {"x": 0.97}, "waived": []}}, "no leak"),
        ({"comparable__unseen": False}, "same test part"),
        ({"comparable__outcome__champion": "b"}, "same outcome"),
        ({"difference__p": 0.026}, "superior to the champion"),
        ({"swap_set__observed_floor": -0.0051}, "profit at the cut-off"),
    ],
)
def test_each_gate_refuses_what_lies_beyond_its_bound(change: dict[str, Any], gate: str) -> None:
    assert failed(changed(**change)) == [gate]


def test_psi_within_what_noise_alone_reaches_beyond_the_bound_passes() -> None:
    assert failed(changed(development__psi=0.27)) == []


def test_a_refresh_is_held_to_the_margin_only() -> None:
    policy = PolicySettings(gates=GateSettings(claim=Claim.not_inferior))
    (gate,) = (gate for gate in judge(EVIDENCE, policy) if "inferior" in gate.gate)
    assert gate.gate == "not inferior to the champion"
    assert "above -0.005" in gate.bound


def test_later_challengers_on_a_test_part_must_prove_more() -> None:
    # p = 0.004 holds against 0.05 / 2 and 0.05 / 6, and against 0.05 / 12 = 0.00417, not against 0.05 / 20 = 0.0025.
    assert [failed(changed(tried_before=before)) for before in (0, 1, 2)] == [[], [], []]
    assert failed(changed(tried_before=3)) == ["superior to the champion"]


def test_errors_spent_on_all_challengers_add_up_to_what_the_policy_allows() -> None:
    assert sum(alpha_for(before, 0.9) for before in range(100_000)) == pytest.approx(0.1, abs=1e-5)


def test_a_first_champion_is_not_compared() -> None:
    results = judge(changed(about__champion=None, difference=None, swap_set=None, comparable=None), PolicySettings())
    assert [gate.gate for gate in results] == [
        "outcome maturity",
        "enough outcomes",
        "no twins",
        "tests of one test part",
        "discrimination",
        "calibration",
        "score stability",
        "no leak",
        "approval rate",
        "scores at the ends of the scale",
        "ranking by points",
    ]
    assert lets_through(results)


def group(level: str, ratio: float, difference: float, expected: tuple[float, float, float]) -> dict[str, Any]:
    value, low, high = expected
    told = {"attribute": "sex", "level": level, "rows": 500, "enough": True, "reference": level == "M"}
    told |= {"impact_ratio": ratio, "ratio_low": ratio - 0.05, "ratio_high": ratio + 0.05}
    told |= {"mean_difference": difference, "difference_low": difference - 0.1, "difference_high": difference + 0.1}
    return told | {"expected_to_observed": value, "eo_low": low, "eo_high": high}


def test_fairness_is_judged_by_the_worst_group_where_the_policy_asks() -> None:
    groups = [group("F", 0.78, -0.1, (1.3, 1.1, 1.5)), group("M", 1.0, 0.0, (1.0, 0.9, 1.1))]
    asks = FairnessSettings(
        lowest_impact_ratio=0.8,
        largest_mean_difference=0.3,
        lowest_expected_to_observed=0.8,
        highest_expected_to_observed=1.25,
    )
    # The interval of F reaches into the permitted range: nothing is proven there.
    assert failed(changed(fairness=groups), PolicySettings(fairness=asks)) == ["impact ratio"]
    groups[0] |= {"eo_low": 1.26}
    assert failed(changed(fairness=groups), PolicySettings(fairness=asks))[1:] == ["calibration by group"]
    assert failed(changed(fairness=[]), PolicySettings(fairness=asks)) == [
        "impact ratio",
        "mean difference of points",
        "calibration by group",
    ]
    assert failed(changed(fairness=groups)) == []


def direction(feature: str, share: float | None, *, declared: bool = True) -> dict[str, Any]:
    rows = 0 if share is None else 200
    figures = {"rows": rows, "share_violating": share, "largest": 0.2 if share else 0.0}
    return {"feature": feature, "expected": "safer", "declared": declared} | figures


def declared_directions(directions: list[dict[str, Any]], allowed: float | None) -> tuple[str, str]:
    """Return the answer of the gate and its sentence; nothing where it is not judged."""
    policy = PolicySettings(gates=GateSettings(monotone=allowed))
    results = judge(changed(monotonicity=directions), policy)
    return next(((gate.answer, gate.sentence) for gate in results if gate.gate == "declared directions"), ("", ""))


def test_declared_directions_are_judged_where_the_policy_asks() -> None:
    kept, against = direction("age", 0.0), direction("income", 0.03)
    assert declared_directions([kept, against], None) == ("", "")
    assert declared_directions([kept], 0.0)[0] == "passed"
    answer, sentence = declared_directions([kept, against], 0.0)
    assert answer == "failed"
    assert "income (safer: in 3.0% of 200 applications, by up to 0.2 log-odds)" in sentence
    assert declared_directions([kept, against], 0.03)[0] == "passed"
    assert declared_directions([kept, direction("debt", None)], 0.0)[0] == "passed"


def test_directions_that_nobody_declared_or_that_could_not_be_checked_are_not_measured() -> None:
    expected = direction("age", 0.5, declared=False)
    assert declared_directions([], 0.0)[0] == NOT_MEASURED
    assert declared_directions([expected], 0.0)[0] == NOT_MEASURED
    assert (
        declared_directions([{"feature": "age", "expected": "safer", "share_violating": 0.5}], 0.0)[0] == NOT_MEASURED
    )
    answer, sentence = declared_directions([direction("debt", None)], 0.0)
    assert (answer, "debt (not in the model, or one value only)" in sentence) == (NOT_MEASURED, True)


def test_a_gate_that_may_be_not_measured_must_exist() -> None:
    with pytest.raises(ConfigurationError, match=r"unknown gate 'leaks' in policy\.gates\.may_be_unmeasured"):
        check_gate_names(PolicySettings(gates=GateSettings(may_be_unmeasured=["leaks"])))


def test_an_advisory_gate_must_exist() -> None:
    with pytest.raises(ConfigurationError, match=r"unknown gate 'calibrtion'.*did you mean calibration"):
        check_gate_names(PolicySettings(gates=GateSettings(advisory=["calibrtion"])))


def test_a_section_that_is_advisory_means_each_of_its_gates() -> None:
    asks = FairnessSettings(lowest_impact_ratio=0.8)
    evidence = changed(fairness=[group("F", 0.7, 0.0, (1.0, 0.9, 1.1))], difference__p=0.5)
    assert failed(evidence, PolicySettings(fairness=asks)) == ["impact ratio", "superior to the champion"]
    advisory = GateSettings(advisory=["fairness", "claim against the champion", "profit where it is inferred"])
    assert failed(evidence, PolicySettings(fairness=asks, gates=advisory)) == []


def test_a_gate_that_passes_names_the_group_that_is_nearest_to_the_bound() -> None:
    groups = [group("M", 1.0, 0.0, (1.0, 0.9, 1.1)), group("F", 0.85, 0.0, (1.0, 0.9, 1.1))]
    asks = PolicySettings(fairness=FairnessSettings(lowest_impact_ratio=0.8))
    (told,) = (gate for gate in judge(changed(fairness=groups), asks) if gate.gate == "impact ratio")
    assert told.passed
    assert told.sentence.startswith("impact ratio 0.850 (95% interval 0.800 to 0.900) for sex F (500 applications)")


def test_outcomes_without_dates_are_assumed_to_be_mature_and_the_result_says_so() -> None:
    maturity = judge(EVIDENCE, PolicySettings())[0]
    assert (maturity.gate, maturity.passed, maturity.answer) == ("outcome maturity", False, NOT_MEASURED)
    assert maturity.sentence == "assumed (the table has no outcome dates)"
    assert not maturity.blocking


UNMEASURED: dict[str, dict[str, Any]] = {
    "outcome maturity": {"about__outcomes_known_by": None},
    "same outcome": {"comparable__outcome__champion": None},
    "same test part": {"comparable__unseen": None},
    "no leak": {"leak": {"kind": "not possible", "why": "the lake is gone"}},
}


@pytest.mark.parametrize("gate", UNMEASURED)
def test_the_policy_says_which_gates_may_be_not_measured(gate: str) -> None:
    evidence = changed(about__outcomes_known_by="2026-11-01T00:00:00") if gate != "outcome maturity" else changed()
    assert failed(evidence) == []
    evidence = changed(**({"about__outcomes_known_by": "2026-11-01T00:00:00"} | UNMEASURED[gate]))
    none, this = (PolicySettings(gates=GateSettings(may_be_unmeasured=names)) for names in ([], [gate]))
    assert failed(evidence, none) == [gate]
    assert failed(evidence, this) == []
    (result,) = (result for result in judge(evidence, this) if result.gate == gate)
    assert (result.passed, result.answer) == (False, NOT_MEASURED)


@pytest.mark.parametrize("gate", ["calibration", "no twins", "same test part"])
def test_a_gate_that_may_be_not_measured_still_blocks_when_it_fails(gate: str) -> None:
    changes = {
        "calibration": {"measures__measures__expected_to_observed__value": 1.4},
        "no twins": {"twins__across": 3},
        "same test part": {"comparable__unseen": False},
    }
    policy = PolicySettings(gates=GateSettings(may_be_unmeasured=[gate, *MATURITY]))
    assert failed(changed(**changes[gate]), policy) == [gate]


@pytest.mark.parametrize("part", ["measures", "comparable", "twins"])
def test_no_policy_tolerates_an_incomplete_record(part: str) -> None:
    everything = [gate.name for gate in gates()]
    policy = PolicySettings(gates=GateSettings(may_be_unmeasured=everything))
    assert failed(changed(**{part: None}), policy)


@pytest.mark.parametrize(
    ("former", "change", "name", "least"),
    [
        ("stable score", {"development__psi": 0.29}, "score stability", None),
        ("mature outcomes", {"about__outcomes_known_by": "2026-11-26T00:00:00"}, "outcome maturity", None),
        ("four-fifths ratio", {"fairness": [group("F", 0.7, 0.0, (1.0, 0.9, 1.1))]}, "impact ratio", 0.8),
    ],
)
def test_a_policy_may_use_the_former_name_of_a_gate(
    former: str, change: dict[str, Any], name: str, least: float | None
) -> None:
    fairness = FairnessSettings(lowest_impact_ratio=least)
    advisory = GateSettings(advisory=[former, "profit where it is inferred"])
    policy = PolicySettings(gates=advisory, fairness=fairness)
    check_gate_names(policy)
    assert failed(changed(**change), PolicySettings(fairness=fairness)) == [name]
    assert failed(changed(**change), policy) == []


TOY_GATE = '''"""A toy gate."""

from experiments.promotion.gates.gate import Gate, GateResult, read


def _judge(evidence, policy):
    rows = read(evidence, "measures", "rows")
    return GateResult(rows % 2 == 1, rows, "an odd number of rows", f"{rows} rows")


GATE = Gate("odd rows", 35, _judge)
'''


@pytest.fixture
def toy_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "odd_rows.py").write_text(TOY_GATE)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    yield
    sys.modules.pop("experiments.promotion.gates.odd_rows", None)
    vars(package).pop("odd_rows", None)


@pytest.mark.usefixtures("toy_gate")
def test_one_file_adds_a_gate_to_judgement_ledger_and_document(book: Book) -> None:
    assert [gate.name for gate in gates()][4:7] == ["discrimination", "odd rows", "calibration"]
    assert failed(EVIDENCE) == ["odd rows"]
    advisory = PolicySettings(gates=GateSettings(advisory=["odd rows", "profit where it is inferred"]))
    check_gate_names(advisory)
    assert failed(EVIDENCE, advisory) == []
    challenger = book.version(1)
    evidence = evidence_of(challenger)
    del evidence["evidence_hash"]
    evidence["gates"] = [result.record() for result in judge(EVIDENCE, PolicySettings())]
    entry = book.open().request(challenger, evidence | {"evidence_hash": fingerprint_record(evidence)}, "")
    assert entry.content["decision"] == "refused"
    page = write_document(book.store, challenger, [dict(entry.content) | {"sequence": 1, "written_at": ""}], evidence)
    assert "odd rows" in page.read_text()
    assert "1000 rows" in page.read_text()
