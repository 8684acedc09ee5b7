"""Offers: clear outcomes, limits that hold, prices that cover the risk, and money that comes out as expected."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.credit.annual_rate import RateConvention, dated_irr
from pipelines.credit.hazard import survival
from pipelines.credit.instalments import Interest
from pipelines.credit.loan import BadDefinition
from pipelines.credit.profit import Economics
from pipelines.errors import ConfigurationError, DataError
from pipelines.policy.offer_settings import OfferSettings, Pricing
from pipelines.policy.offers import Offer, OfferOutcome, offer_of
from pipelines.policy.pack import PolicySettings, check_policy, policy_hash
from pipelines.policy.term_offers import TermOffer

BEST = 4
AMOUNT = 100_000


def policy_with(economics: Economics | None = None, **offers: Any) -> PolicySettings:
    policy = PolicySettings(economics=economics or Economics(), offers=replace(PolicySettings().offers, **offers))
    check_policy(policy)
    return policy


def offered(pd: Any = 0.05, amount: int = AMOUNT, policy: PolicySettings | None = None, **asked: Any) -> Offer:
    words = {"decision": "approved", "band": BEST} | asked
    return offer_of(policy or PolicySettings(), pd=pd, amount=amount, **words)


def by_term(offer: Offer) -> dict[int, TermOffer]:
    return {one.term: one for one in offer.terms}


def test_an_approved_application_may_choose_among_the_terms() -> None:
    offer = offered()
    assert (offer.outcome, offer.amount, offer.explanation) == (OfferOutcome.offered, AMOUNT, "")
    assert [one.term for one in offer.terms] == [3, 6, 12, 24]
    for one in offer.terms:
        assert sum(one.schedule.principal) == AMOUNT
        assert one.total == sum(one.schedule.amounts) + one.fee


def test_every_decision_of_the_scorer_has_an_answer() -> None:
    from pipelines.scoring.scorer import DECISIONS

    found = {decision: offered(decision=decision).outcome.value for decision in DECISIONS}
    assert found == {"approved": "offered", "declined": "declined", "referred": "referred"}


@pytest.mark.parametrize("decision", ["declined", "referred"])
def test_what_is_not_approved_has_an_outcome_and_no_offer(decision: str) -> None:
    offer = offered(decision=decision)
    assert (offer.outcome.value, offer.amount, offer.terms) == (decision, 0, ())
    assert offer.explanation


def test_more_than_the_limit_is_answered_with_the_limit() -> None:
    # given: the second lowest band may have a quarter of 2,000,000
    offer = offered(amount=500_001, band=1)
    assert (offer.outcome, offer.requested, offer.amount) == (OfferOutcome.counter_offer, 500_001, 500_000)
    assert all(sum(one.schedule.principal) == 500_000 for one in offer.terms)
    assert "500000" in offer.explanation
    assert offered(amount=500_000, band=1).outcome is OfferOutcome.offered


def test_limits_rise_with_the_band() -> None:
    limits = [offered(amount=10**9, band=band).amount for band in range(5)]
    assert limits == [200_000, 500_000, 1_000_000, 1_500_000, 2_000_000]
    same = policy_with(band_limits=[])
    assert {offered(amount=10**9, band=band, policy=same).amount for band in range(5)} == {2_000_000}


def test_too_little_is_not_lent_and_it_says_whose_limit_it_was() -> None:
    offer = offered(amount=999)
    assert (offer.outcome, offer.terms) == (OfferOutcome.no_offer, ())
    assert "smallest loan, 1000 minor units" in offer.explanation
    closed = policy_with(band_limits=[0.0, 0.0, 0.5, 1.0, 1.0])
    offer = offered(band=1, policy=closed)
    assert (offer.outcome, offer.limit) == (OfferOutcome.no_offer, 0)
    assert "the limit of 0" in offer.explanation


def test_a_risk_that_no_price_within_the_cap_covers_is_not_offered() -> None:
    offer = offered(pd=0.6)
    assert (offer.outcome, offer.terms, set(offer.withheld)) == (OfferOutcome.no_offer, (), {3, 6, 12, 24})
    some = offered(pd=0.2)
    assert some.outcome is OfferOutcome.offered
    assert set(by_term(some)) | set(some.withheld) == {3, 6, 12, 24}
    assert some.withheld
    assert "30.00%" in next(iter(some.withheld.values()))


@given(st.floats(0, 1), st.integers(1_000, 3_000_000), st.integers(0, 4), st.integers(0, 900), st.floats(0, 0.05))
def test_no_offer_breaks_the_policy(pd: float, amount: int, band: int, fee: int, share: float) -> None:
    policy = policy_with(opening_fee=fee, opening_fee_share=share, lowest_rate=0.05)
    offer = offered(pd, amount, policy, band=band)
    assert offer.amount <= min(amount, offer.limit)
    for one in offer.terms:
        assert one.rate >= 0.05
        assert one.apr <= policy.offers.highest_apr
        assert sum(one.schedule.amounts) == offer.amount + sum(one.schedule.interest)
        days = [round(month * 365 / 12) for month in range(1, one.term + 1)]
        again = dated_irr(offer.amount - one.fee, one.schedule.amounts, days)
        assert one.apr == pytest.approx(again, rel=0.02)  # days are whole, twelfths of a year are not


def expected_return(
    policy: PolicySettings, one: TermOffer, rate: float, yearly: float, window: int, pd: float
) -> float:
    """Return what a loan of 1 at a rate is worth at a yield, less 1, walking through its months."""
    offers, lost = policy.offers, policy.economics.loss_given_default
    monthly = rate / 12
    each = monthly / (1 - (1 + monthly) ** -one.term)
    owed, value, alive = 1.0, -1.0, 1.0
    for month in range(1, one.term + 1):
        left = float(survival(pd, window, offers.hazard_by_month, month)[-1])
        value += (left * each + (alive - left) * (1 - lost) * owed) / (1 + yearly / 12) ** month
        owed, alive = owed - (each - owed * monthly), left
    return value


@pytest.mark.parametrize("pd", [0.0, 0.03, 0.1])
def test_the_price_is_the_lowest_that_returns_what_the_policy_asks(pd: float) -> None:
    # given: funding 3% of the amount over a year of equal repayments, 13/24 years outstanding; 3% a year on top
    policy = PolicySettings()
    yearly = 0.03 / (13 / 24) + 0.03
    for one in offered(pd).terms:
        assert expected_return(policy, one, one.rate, yearly, 9, pd) >= -1e-7
        assert expected_return(policy, one, one.rate - 0.0001, yearly, 9, pd) < 0
        assert round(one.rate * 10_000, 9) % 1 == 0


def test_a_safe_loan_without_fee_costs_funding_and_margin() -> None:
    policy = policy_with(Economics(funding_cost=0.065), target_margin=0.03)
    for one in offered(0.0, policy=policy).terms:
        assert one.rate == pytest.approx(0.15)  # 0.065 / (13 / 24) + 0.03
        assert (one.pd, one.expected_loss) == (0, 0)


def test_more_risk_never_pays_less_and_never_loses_less() -> None:
    offers = [by_term(offered(pd)) for pd in (0.0, 0.01, 0.02, 0.05, 0.1)]
    for term in (3, 6, 12, 24):
        for name in ("rate", "apr", "pd", "expected_loss"):
            values = [getattr(one[term], name) for one in offers]
            assert values == sorted(values), name


def test_the_fee_lowers_the_rate_and_is_part_of_the_annual_percentage_rate() -> None:
    free, with_fee = (by_term(offered(policy=policy_with(opening_fee=fee)))[12] for fee in (0, 900))
    assert with_fee.fee == 900
    assert with_fee.rate < free.rate
    assert with_fee.apr > with_fee.rate
    assert with_fee.expected_margin == pytest.approx(free.expected_margin, abs=20)


def test_one_price_for_all_is_that_price_whatever_the_risk() -> None:
    policy = policy_with(pricing=Pricing.same_for_all, rate=0.1999)
    assert {one.rate for pd in (0.01, 0.2) for one in offered(pd, policy=policy).terms} == {0.1999}
    capped = policy_with(pricing=Pricing.same_for_all, rate=0.1999, highest_apr=0.21)
    offer = offered(policy=capped)  # (1 + 0.1999 / 12)^12 - 1 = 21.93%
    assert (offer.outcome, offer.terms) == (OfferOutcome.no_offer, ())
    assert "21.9" in offer.withheld[12]
    nominal = policy_with(
        pricing=Pricing.same_for_all, rate=0.1999, highest_apr=0.21, apr=RateConvention.nominal, lowest_amount=1000
    )
    assert len(offered(policy=nominal).terms) == 4


def test_instalments_too_small_to_collect_are_not_offered() -> None:
    # 12.00 over 12 months would be 1.08 a month, over 24 less than 1.00; 2.00 over 24 would end before its term
    assert offered(amount=1_200).withheld == {24: "an instalment would be below the smallest of 100 minor units"}
    tiny = policy_with(lowest_amount=1, lowest_instalment=1)
    for amount in range(1, 60):
        for one in offered(amount=amount, policy=tiny).terms:
            assert min(one.schedule.amounts) >= 1


def test_numbers_of_arrays_are_told_as_json() -> None:
    told = offered(np.float64(0.05), np.int64(AMOUNT), band=np.intp(BEST)).told()
    assert json.loads(json.dumps(told)) == offered().told()


def test_a_fee_can_push_a_short_term_above_the_cap() -> None:
    policy = policy_with(pricing=Pricing.same_for_all, rate=0.1, opening_fee_share=0.03)
    offer = offered(policy=policy)
    assert 3 in offer.withheld
    assert 24 in by_term(offer)


def test_flat_interest_has_a_rate_of_half_of_what_it_costs() -> None:
    flat, annuity = (
        by_term(offered(policy=policy_with(interest=one)))[24] for one in (Interest.flat, Interest.annuity)
    )
    assert flat.rate < 0.6 * annuity.rate
    assert flat.apr == pytest.approx(annuity.apr, abs=0.01)


def test_a_pd_speaks_about_the_term_that_was_asked_for() -> None:
    # given: 90 days past due in 12 months; of a loan of 3 months that is its whole life, of one of 24 nine months
    shape = PolicySettings().offers.hazard_by_month
    short, long = by_term(offered(asked_term=3)), by_term(offered(asked_term=24))
    assert short[3].pd == 0.05
    assert long[12].pd == pytest.approx(1 - survival(0.05, 9, shape, 12)[-1])
    assert short[12].pd == pytest.approx(1 - survival(0.05, 3, shape, 12)[-1])
    assert short[12].pd > long[12].pd > 0.05
    assert by_term(offered(asked_term=None))[12].pd == long[12].pd


def test_a_pd_by_term_is_taken_as_that_of_the_term() -> None:
    found = by_term(offered({3: 0.02, 6: 0.03, 12: 0.05, 24: 0.06}))
    assert (found[3].pd, found[6].pd) == (0.02, 0.03)
    assert found[12].pd == by_term(offered(0.05, asked_term=12))[12].pd
    assert found[24].pd == by_term(offered(0.06, asked_term=24))[24].pd


def test_the_bad_definition_says_how_many_months_the_pd_is_about() -> None:
    early = policy_with(bad=BadDefinition(30, 3))
    assert by_term(offered(policy=early))[12].pd > by_term(offered())[12].pd


def test_expected_loss_and_margin_are_what_many_such_loans_bring() -> None:
    # given: 200,000 loans whose month of default is drawn, each followed to its end
    policy, term, drawn = PolicySettings(), 12, 200_000
    one = by_term(offered(0.1))[term]
    chances = 1 - survival(0.1, 9, policy.offers.hazard_by_month, term)
    stops = np.searchsorted(chances, np.random.default_rng(0).random(drawn), side="right")  # beyond the term: never
    worth = (1 + 0.03 / (13 / 24) / 12) ** -np.arange(1.0, term + 1)
    paid = np.concatenate([[0.0], np.cumsum(one.schedule.amounts * worth)])
    lost = np.concatenate([0.6 * np.array(one.schedule.owed) * worth, [0.0]])
    back = np.concatenate([0.4 * np.array(one.schedule.owed) * worth, [0.0]])
    found_loss, found_margin = lost[stops - 1], paid[stops - 1] + back[stops - 1] - AMOUNT
    for found, told in ((found_loss, one.expected_loss), (found_margin, one.expected_margin)):
        assert abs(found.mean() - told) <= 4 * found.std() / np.sqrt(drawn) + 1
    assert (stops <= term).mean() == pytest.approx(one.pd, abs=0.003)


def test_the_customer_is_told_the_price_and_not_the_risk() -> None:
    told = json.loads(json.dumps(offered(0.2).told()))
    assert told["outcome"] == "offered"
    words = json.dumps(told)
    assert not any(word in words for word in ("pd", "loss", "margin"))
    for one in told["terms"]:
        parts = one["schedule"]
        assert [part["number"] for part in parts] == list(range(1, one["term"] + 1))
        assert sum(part["amount"] for part in parts) + one["fee"] == one["total"]
        assert all(part["amount"] == part["interest"] + part["principal"] for part in parts)
        assert (one["instalment"], one["last_instalment"]) == (parts[0]["amount"], parts[-1]["amount"])
    assert {one["term"] for one in told["withheld"]} | {one["term"] for one in told["terms"]} == {3, 6, 12, 24}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"amount": 0}, "amount is 0; .* at least 1"),
        ({"amount": 10_000.5}, "whole minor units"),
        ({"amount": float("nan")}, "whole minor units"),
        ({"pd": 1.1}, "is 1.1; pass a calibrated one between 0 and 1"),
        ({"pd": float("nan")}, "is nan; pass a calibrated one between 0 and 1"),
        ({"pd": {3: 0.1}}, r"lack the terms \[6, 12, 24\]"),
        ({"decision": "maybe"}, "decision is 'maybe'"),
        ({"asked_term": 0}, "term is 0"),
    ],
)
def test_what_cannot_be_answered_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        offered(**asked)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"terms": []}, "terms"),
        ({"terms": [6, 3]}, "terms"),
        ({"lowest_amount": 0}, "lowest_amount"),
        ({"lowest_instalment": 0}, "lowest_instalment"),
        ({"highest_amount": 10}, "highest_amount"),
        ({"band_limits": [0.5, 1.0]}, "one share for each of the 5 bands"),
        ({"band_limits": [0.5, 0.4, 1.0, 1.0, 1.0]}, "not fall"),
        ({"band_limits": [0.5, 0.6, 1.0, 1.0, 1.1]}, "between 0 and 1"),
        ({"rate": -0.1}, "rate"),
        ({"lowest_rate": 0.4}, "highest_apr must be between 0.4"),
        ({"target_margin": float("nan")}, "target_margin"),
        ({"opening_fee": 1_000}, "opening_fee"),
        ({"opening_fee_share": 1.0}, "opening_fee_share"),
        ({"reference_months": 0}, "reference_months"),
        ({"bad": BadDefinition(0, 12)}, "days_past_due"),
        ({"bad": BadDefinition(90, 2)}, "window_months"),
        ({"hazard_by_month": []}, "hazard_by_month"),
        ({"hazard_by_month": [1.0, 0.0]}, "hazard_by_month"),
    ],
)
def test_settings_that_no_offer_can_be_made_from_are_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        policy_with(**changed)


def test_the_policy_hash_covers_the_offers() -> None:
    assert policy_hash(policy_with(target_margin=0.031)) != policy_hash(PolicySettings())
    assert policy_hash(PolicySettings(offers=OfferSettings())) == policy_hash(PolicySettings())
