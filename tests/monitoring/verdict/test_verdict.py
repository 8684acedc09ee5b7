"""What a report says first follows from moves, faults and outcomes; a kind of change is named as far as it can be."""

from dataclasses import replace

import pytest

from monitoring.decision_mix.decision_mix import DecisionMix, GroupDecisions
from monitoring.faults.fault import Fault
from monitoring.faults.unit_changed import UNIT_CHANGED
from monitoring.measures.effects import Effect
from monitoring.measures.move import Move
from monitoring.outcomes.contradictions import Contradiction
from monitoring.outcomes.observed import Observed
from monitoring.outcomes.performance import PerformanceReport
from monitoring.outcomes.vintage import VintagePerformance
from monitoring.thresholds.share_changes import ShareChange, ShareKind
from monitoring.thresholds.thresholds import EVERYONE, Cell, Judgement, Level
from monitoring.verdict.blind_spots import smallest_changes
from monitoring.verdict.causes import CONCEPT_CHANGE, DATA_FAULT, FRAUD, LEVEL_SHIFT, MIX_SHIFT, causes_of
from monitoring.verdict.facts import Facts
from monitoring.verdict.period_report import Verdict
from monitoring.verdict.verdict import points_of, sentence_of, verdict_of
from pipelines.credit.backtest import BacktestResult
from pipelines.credit.label_free import Estimate
from pipelines.credit.loan import FIRST_PAYMENT

FAULT = Fault(UNIT_CHANGED, "amount", "Its median is 100 times what it was.", "cents for units", "ask the team")
NOTHING = Facts()


def move(column: str, level: Level, segment: str = EVERYONE, psi: float = 0.3, since: str | None = "2026-10") -> Move:
    judged = Judgement(Cell(column, segment), level, psi, psi, 0.1, 0.0, None, 0.001, 0.001, 900, 900, 1, 1)
    return Move(judged, "score" if column == "points" else "feature", ("a", "b"), (1, 2), (2, 1), since)


def vintage(
    definition: str, *, early: bool = True, worse: bool = False, level: float | None = None
) -> VintagePerformance:
    estimate = Estimate(0.1, 0.05, 0.2)
    observed = Observed(definition, 500, 0, 50, estimate, None, None, None, 0.1)
    bad_rate = BacktestResult(level or 0.1, 0.1, 0.001)
    said = Contradiction(BacktestResult(0.6, 0.7, 0.001), bad_rate, worse, level is not None, "earlier vintages")
    kinds = {"early": observed, "early_contradiction": said} if early else {
        "matured": observed, "matured_contradiction": said}  # fmt: skip
    nothing = dict.fromkeys(("early", "early_contradiction", "matured", "matured_contradiction"))
    return VintagePerformance(
        period="2026-07", scored=900, approved=500, not_approved=None, estimate=None, recalibrated=None,
        reweighted=None, early_expected=None, bands=(), hosmer_lemeshow=None, reconciled=(), statement="they say so",
        **nothing | kinds,
    )  # fmt: skip


def performance(*vintages: VintagePerformance) -> PerformanceReport:
    return PerformanceReport(vintages, (), ())


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (NOTHING, Verdict.STABLE),
        (replace(NOTHING, moves=(move("income", Level.QUIET, since=None),)), Verdict.STABLE),
        (replace(NOTHING, moves=(move("income", Level.TOO_SMALL, "kiosk", since=None),)), Verdict.STABLE),
        (replace(NOTHING, moves=(move("income", Level.WATCH),)), Verdict.WATCH),
        (replace(NOTHING, moves=(move("income", Level.WATCH), move("age", Level.ACT, "kiosk"))), Verdict.ACT),
        (replace(NOTHING, faults=(FAULT,)), Verdict.ACT),
        (replace(NOTHING, performance=performance(vintage("dpd30_at_3_mob", worse=True))), Verdict.ACT),
        (replace(NOTHING, performance=performance(vintage("dpd30_at_3_mob"))), Verdict.STABLE),
        (replace(NOTHING, faults=(FAULT,), incomplete="2026-10 is not over on 2026-10-09"), Verdict.INCOMPLETE),
        (replace(NOTHING, rows=0), Verdict.INCONCLUSIVE),
        (replace(NOTHING, rows=0, faults=(FAULT,)), Verdict.ACT),
        (replace(NOTHING, rows=900, moves=(move("points", Level.QUIET, since=None),)), Verdict.STABLE),
        (replace(NOTHING, rows=9, moves=(move("points", Level.TOO_SMALL, since=None),)), Verdict.INCONCLUSIVE),
        (replace(NOTHING, rows=9, performance=replace(performance(), unmatched=("0 ids",))), Verdict.INCONCLUSIVE),
    ],
)
def test_the_verdict_is_the_worst_of_what_is_known(facts: Facts, verdict: Verdict) -> None:
    assert verdict_of(facts) is verdict


@pytest.mark.parametrize(
    ("seen", "cause"),
    [
        (vintage(FIRST_PAYMENT, level=0.3), LEVEL_SHIFT),
        (vintage(FIRST_PAYMENT, level=0.02), LEVEL_SHIFT),
        (vintage("dpd30_at_3_mob", level=0.3), LEVEL_SHIFT),
        (vintage("dpd30_at_3_mob", worse=True, level=0.3), CONCEPT_CHANGE),
        (vintage("dpd90_in_12_months", early=False, worse=True), CONCEPT_CHANGE),
        (vintage(FIRST_PAYMENT, early=False, level=0.3), LEVEL_SHIFT),
    ],
)
def test_outcomes_name_what_features_cannot(seen: VintagePerformance, cause: str) -> None:
    assert causes_of((), (), performance(seen)) == (cause,)


@pytest.mark.parametrize("failing", [True, False])
def test_first_payments_mean_fraud_only_beyond_what_later_payments_explain(failing: bool) -> None:
    rate = BacktestResult(0.3, 0.1, 0.001)
    first, beyond = (Contradiction(None, rate, False, moved, "earlier vintages") for moved in (True, failing))
    seen = replace(vintage("dpd30_at_3_mob", level=0.3), first_payment_contradiction=first, fraud_contradiction=beyond)
    assert causes_of((), (), performance(seen)) == ((FRAUD,) if failing else (LEVEL_SHIFT,))


@pytest.mark.parametrize(
    ("rate", "step"), [(1.0, "check how the outcomes are coded"), (0.3, "read the vintages below")]
)
def test_too_few_of_one_class_leave_the_ranking_open(rate: float, step: str) -> None:
    level = BacktestResult(rate, 0.12, 1e-9)
    seen = replace(
        vintage("bad", early=False), matured_contradiction=Contradiction(None, level, False, True, "the PDs")
    )
    facts = Facts(performance=performance(seen))
    assert causes_of((), (), performance(seen)) == (LEVEL_SHIFT,)
    assert f"({rate:.1%} bad against 12.0%), with too few of one class" in sentence_of(facts, Verdict.ACT)
    assert points_of(facts)[-1].text.startswith(step)


def test_only_the_newest_outcomes_of_each_kind_ring() -> None:
    again = replace(vintage("dpd30_at_3_mob"), period="2026-08")
    assert causes_of((), (), performance(vintage("dpd30_at_3_mob", worse=True), again)) == ()


def test_a_fault_explains_the_moves_it_makes_and_moves_alone_stay_unexplained() -> None:
    moves = (move("income", Level.ACT),)
    assert causes_of(moves, (FAULT,), None) == (DATA_FAULT,)
    assert causes_of(moves, (), None) == (MIX_SHIFT,)
    facts = replace(NOTHING, moves=moves)
    assert "unexplained until outcomes are known" in sentence_of(facts, Verdict.ACT)
    with_fault = sentence_of(replace(facts, faults=(FAULT,)), Verdict.ACT)
    assert with_fault.startswith("Data fault, not a change of applicants: amount (unit changed)")
    assert "unexplained" not in with_fault


def sentence(*moves: Move) -> str:
    return sentence_of(replace(NOTHING, moves=moves), Verdict.ACT)


def test_a_sentence_about_the_score_looks_at_segments_too() -> None:
    quiet = move("points", Level.QUIET, since=None)
    app, web = (move("points", Level.ACT, segment) for segment in ("channel=app", "channel=web"))
    assert sentence(quiet, web, app).startswith(
        "The score moved in channel=app, channel=web, not over all decisions; no other column moved"
    )
    assert "; the score moved in channel=app, not over all decisions;" in sentence(quiet, app, move("age", Level.ACT))
    assert "; the score stayed within its limit;" in sentence(quiet, move("age", Level.ACT))
    assert "; the score moved;" in sentence(move("points", Level.ACT), app, move("age", Level.ACT))
    small = move("points", Level.TOO_SMALL, since=None)
    assert "; the score has too few rows to compare;" in sentence(small, move("age", Level.ACT))
    assert causes_of((quiet, app), (), None) == ()


def test_points_tell_what_for_whom_since_when_how_much_and_what_next() -> None:
    low = GroupDecisions("sex", "f", 500, 100, 0.6, is_low=True)
    facts = replace(
        NOTHING,
        moves=(move("income", Level.ACT, since="2026-08"), move("age", Level.WATCH, "kiosk", psi=0.4)),
        effect=Effect(0.31, 0.25, 0.1, 0.1, 0.05, 0.04, 0.6),
        decision_mix=(DecisionMix("2026-10", 900, {}, {}, 0, 0, 0, (low,)),),
    )
    told = {point.heading: point.text for point in points_of(facts)}
    assert told["what moved"] == "income (PSI 0.3, limit 0.1)"
    assert told["where"] == "all decisions, most in kiosk"
    assert told["since"] == "2026-08, most recently 2026-10"
    assert told["effect"] == ("approval rate 31.0% against 25.0%, expected loss 3.00% of the amount lent against 2.40%")
    assert told["fairness"] == "approved less often than the policy allows: sex f"
    assert told["next step"].startswith("look at the bins of income")
    assert points_of(replace(facts, incomplete="2026-10 is not over")) == ()


def test_a_limit_beyond_any_move_is_not_called_the_smallest_change() -> None:
    moves = [move(name, Level.QUIET) for name in ("income", "age", "flag")]
    limits = zip(moves, (0.12, 0.1, 2e10), strict=True)
    moves = [replace(one, judgement=replace(one.judgement, limit=limit)) for one, limit in limits]
    (columns,) = (one for one in smallest_changes(Facts(moves=moves, rows=900), None) if one.heading == "columns")
    assert columns.text.startswith("PSI 0.1 (age) to 0.12 (income)")
    assert columns.text.endswith("; no move is named in flag: too few periods to know how much they vary")


def test_a_level_that_appears_is_named_as_that_and_not_as_a_shift_of_the_mix() -> None:
    new = ShareChange(ShareKind.APPEARED, "method", "instant", False, 0.04, 0.0, 100, 0.3)
    gone = ShareChange(ShareKind.VANISHED, "branch", "kiosk", True, 0.008, 0.08, 20, 200.0)
    facts = replace(NOTHING, moves=(move("method", Level.WATCH),), share_changes=(new,))
    assert verdict_of(facts) is Verdict.WATCH
    assert "'instant' of method appeared: 100 rows (4.0%)" in sentence_of(facts, Verdict.WATCH)
    assert causes_of(facts.moves, (), None, facts.shares) == ("level appeared",)
    assert causes_of((move("age", Level.ACT),), (), None, (new,)) == ("level appeared", MIX_SHIFT)
    assert verdict_of(replace(NOTHING, share_changes=(gone,))) is Verdict.ACT
    fault = replace(FAULT, column="method")
    assert replace(facts, faults=(fault,)).shares == []
