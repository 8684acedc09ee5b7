"""Offers of a single payment and of four payments every two weeks, by hand."""

from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from pipelines.credit.annual_rate import RateConvention, dated_irr
from pipelines.credit.loan import BadDefinition
from pipelines.credit.periods import Period, Repayment
from pipelines.errors import ConfigurationError, DataError
from pipelines.policy.offer_settings import OfferSettings, Pricing
from pipelines.policy.offers import offer_of
from pipelines.policy.pack import PolicySettings, check_policy
from pipelines.policy.term_offers import TermOffer

ONE_PAYMENT = {"terms": [14, 30], "repayment": Repayment(Period.day, None)}
PAY_IN_4 = {"terms": [8], "repayment": Repayment(Period.week, 2)}
BAD = BadDefinition(14, window_days=60)


def policy_with(**offers: Any) -> PolicySettings:
    policy = PolicySettings(offers=OfferSettings(**({"bad": BAD, "highest_apr": 2.0} | offers)))
    check_policy(policy)
    return policy


def by_term(policy: PolicySettings, pd: float, asked: int) -> dict[int, TermOffer]:
    offer = offer_of(policy, decision="approved", band=4, pd=pd, amount=100_000, asked_term=asked)
    return {one.term: one for one in offer.terms}


def test_a_single_payment_at_one_rate_for_all() -> None:
    # given 20% a year: 1,000.00 x 0.2 x 30/365 = 16.44, and 7.67 for 14 days
    found = by_term(policy_with(pricing=Pricing.same_for_all, rate=0.2, **ONE_PAYMENT), 0.02, 30)
    assert {term: one.schedule.amounts for term, one in found.items()} == {14: (100_767,), 30: (101_644,)}
    # then the annual percentage rate is that of the payment's date, and the PD is of the one payment
    assert found[30].apr == round(dated_irr(100_000, [101_644], [30]), 4)
    assert (found[14].pd, found[30].pd) == (0.02, 0.02)
    assert found[30].told()["schedule"] == [
        {"number": 1, "due_after": 30, "amount": 101_644, "interest": 1_644, "principal": 100_000}
    ]
    assert found[30].told()["period"] == "day"
    # and it loses 60% of the principal with 2%, discounted by the funding rate of 30 days
    yearly = 0.03 / (13 / 24)
    assert found[30].expected_loss == round(0.6 * 0.02 * 100_000 / (1 + yearly * 30 / 365))


def test_the_risk_based_rate_of_a_single_payment_covers_its_risk_and_no_more() -> None:
    # given funding at 3% / (13/24) and 3% on top, for 30 days: (1 - p) (1 + r d) + p (1 - 0.6) = 1 + y d, d = 30/365
    pd, years = 0.01, 30 / 365
    yearly = 0.03 / (13 / 24) + 0.03
    exact = ((1 + yearly * years - pd * 0.4) / (1 - pd) - 1) / years
    found = by_term(policy_with(**ONE_PAYMENT), pd, 30)[30]
    assert 0 <= found.rate - exact <= 1e-4
    assert found.expected_margin == pytest.approx(100_000 * 0.03 * years, abs=10)


def test_pay_in_4_without_interest_is_free_and_its_pd_is_that_of_all_payments() -> None:
    # given an equal hazard at each payment; three of the four can turn the loan bad in 60 days
    policy = policy_with(
        pricing=Pricing.same_for_all, rate=0.0, hazard_by_month=[1.0], apr=RateConvention.nominal, **PAY_IN_4
    )
    (found,) = by_term(policy, 0.271, 8).values()
    assert found.schedule.amounts == (25_000,) * 4
    assert (found.rate, found.apr, found.total) == (0.0, 0.0, 100_000)
    assert [one["due_after"] for one in found.told()["schedule"]] == [2, 4, 6, 8]
    # then 1 - 0.271 is 0.9^3, and the fourth payment adds another tenth
    assert found.pd == pytest.approx(1 - 0.9**4)


def test_a_fee_on_pay_in_4_is_in_the_annual_percentage_rate() -> None:
    policy = policy_with(pricing=Pricing.same_for_all, rate=0.0, opening_fee=500, **PAY_IN_4)
    (found,) = by_term(policy, 0.01, 8).values()
    # a week is a 52nd of a year: 14 days of 364
    by_date = dated_irr(99_500, [25_000] * 4, [14 * number for number in range(1, 5)])
    assert found.apr == pytest.approx((1 + by_date) ** (364 / 365) - 1, abs=6e-5)


@pytest.mark.parametrize(
    ("offers", "message"),
    [
        ({"terms": [7], "repayment": Repayment(Period.week, 2)}, r"terms must be multiples of every=2 weeks"),
        ({"terms": [4_000], "repayment": Repayment(Period.day, None)}, "whole days from 1 to 3,660"),
        ({"repayment": Repayment(Period.day, 0)}, "repayment.every must be at least 1"),
        ({"bad": BadDefinition(14)}, "bad must have one of window_months and window_days"),
        ({"bad": BadDefinition(14, window_days=10)}, "bad.window_days must be so long"),
    ],
)
def test_terms_that_cannot_be_offered_are_refused(offers: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        policy_with(**offers)


def test_a_term_below_one_is_refused_in_its_own_unit() -> None:
    with pytest.raises(DataError, match="term is 0; use at least 1 day"):
        by_term(policy_with(**ONE_PAYMENT), 0.02, 0)


def test_the_pack_of_the_documentation_can_be_offered_from() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "concepts.md").read_text()
    pack = page.partition("```yaml\noffers:")[2].partition("```")[0]
    merged = OmegaConf.merge(OmegaConf.structured(PolicySettings), OmegaConf.create(f"offers:{pack}"))
    policy = OmegaConf.to_object(merged)
    assert isinstance(policy, PolicySettings)
    check_policy(policy)
    assert by_term(policy, 0.001, 30)[30].told()["period"] == "day"
