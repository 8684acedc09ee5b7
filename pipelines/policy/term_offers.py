"""The price and the schedule of each term on offer, or why a term is withheld."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.credit.annual_rate import annual_rate, interval_irr
from pipelines.credit.arrays import Floats
from pipelines.credit.hazard import instalments_in_window, monthly_defaults, survival
from pipelines.credit.instalments import Interest, Schedule, schedule_of
from pipelines.credit.periods import Repayment
from pipelines.credit.risk_price import (
    discounts,
    expected_payments,
    lowest_rate,
    present_value,
    yearly_funding,
)
from pipelines.policy.offer_settings import OfferSettings, Pricing
from pipelines.policy.pack import PolicySettings

STEPS_OF_RATE = 10_000
"""A risk-based rate and every annual percentage rate are whole numbers of hundredths of a per cent."""

SLACK = 1e-4
"""Of such a step: what the search for a rate may be off."""


@dataclass(frozen=True)
class TermOffer:
    """One term that may be chosen; money in minor units, rates of a year.

    For the customer: `term` in periods of `repayment`, `rate` on what `interest` says, `apr` with the `fee` that is
    paid at once, to a hundredth of a per cent, and the schedule. For the lender: the PD over the term, the expected
    loss, and the `expected_margin` over funding cost and loss, both discounted at the funding rate.
    """

    term: int
    interest: Interest
    rate: float
    apr: float
    fee: int
    schedule: Schedule
    pd: float
    expected_loss: int
    expected_margin: int
    repayment: Repayment = field(default_factory=Repayment)

    @property
    def total(self) -> int:
        """All that the customer pays, the fee included."""
        return self.fee + sum(self.schedule.amounts)

    def told(self) -> dict[str, Any]:
        """Return what the customer is told, as JSON values."""
        amounts, interval = self.schedule.amounts, self.repayment.interval(self.term)
        return {
            "term": self.term,
            "period": self.repayment.period.value,
            "interest": self.interest.value,
            "rate": self.rate,
            "apr": self.apr,
            "fee": self.fee,
            "instalment": amounts[0],
            "last_instalment": amounts[-1],
            "total": self.total,
            "schedule": [
                {
                    "number": number,
                    "due_after": number * interval,
                    "amount": amount,
                    "interest": interest,
                    "principal": principal,
                }
                for number, (amount, interest, principal) in enumerate(
                    zip(amounts, self.schedule.interest, self.schedule.principal, strict=True), start=1
                )
            ],
        }


def term_offers(
    policy: PolicySettings, amount: int, pd: float | Mapping[int, float], asked_term: int | None
) -> dict[int, TermOffer | str]:
    """Return for each term on offer its offer for a whole amount of minor units, or why there is none.

    `pd` and `asked_term` as in `offer_of`: a PD is about no more instalments than the requested loan has.
    """
    offers = policy.offers

    def window(term: int | None) -> int:
        return instalments_in_window(offers.bad, term, offers.repayment)

    if isinstance(pd, Mapping):
        return {term: _term_offer(policy, amount, term, pd[term], window(term)) for term in offers.terms}
    return {term: _term_offer(policy, amount, term, pd, window(asked_term)) for term in offers.terms}


@dataclass(frozen=True)
class _Outlook:
    """Survival and default at each instalment of a loan, and its discounts, shape (n,).

    `funding` discounts at the funding rate, `target` at that and the target margin; `a_year` instalments fall due in a
    year.
    """

    alive: Floats
    defaults: Floats
    funding: Floats
    target: Floats
    a_year: float


def _outlook(policy: PolicySettings, pd: float, window: int, term: int) -> _Outlook:
    offers = policy.offers
    instalments, a_year = offers.repayment.instalments(term), offers.repayment.a_year(term)
    chances = survival(pd, window, offers.hazard_by_month, instalments)
    yearly = yearly_funding(policy.economics.funding_cost, offers.reference_months)
    return _Outlook(
        chances[1:],
        monthly_defaults(chances),
        discounts(yearly, instalments, a_year),
        discounts(yearly + offers.target_margin, instalments, a_year),
        a_year,
    )


def _term_offer(policy: PolicySettings, amount: int, term: int, pd: float, window: int) -> TermOffer | str:
    offers, outlook = policy.offers, _outlook(policy, pd, window, term)
    fee = fee_of(offers, amount)
    rate = _rate(policy, outlook, fee / amount)
    if rate is None:
        return f"no rate within the highest annual percentage rate of {offers.highest_apr:.2%} covers the risk"
    schedule = schedule_of(amount, rate, term, offers.interest, offers.rounding, offers.repayment)
    if min(schedule.amounts) < offers.lowest_instalment:
        return f"an instalment would be below the smallest of {offers.lowest_instalment} minor units"
    apr = _told_rate(annual_rate(interval_irr(amount - fee, schedule.amounts), offers.apr, outlook.a_year))
    if apr > offers.highest_apr:
        return f"its annual percentage rate would be {apr:.2%}, above the highest of {offers.highest_apr:.2%}"
    over_term = pd if len(schedule.amounts) == window else 1 - float(outlook.alive[-1])
    return TermOffer(
        term,
        offers.interest,
        rate,
        apr,
        fee,
        schedule,
        over_term,
        *_economics_of(policy, schedule, fee, outlook),
        offers.repayment,
    )


def _told_rate(rate: float) -> float:
    """Return a rate to a hundredth of a per cent, half upwards (Directive 2008/48/EC, annex I, remark d)."""
    return math.floor(rate * STEPS_OF_RATE + 0.5) / STEPS_OF_RATE


def fee_of(offers: OfferSettings, amount: int) -> int:
    """Return the opening fee on an amount, paid at once and not financed, to the nearest minor unit.

    >>> fee_of(OfferSettings(opening_fee=100, opening_fee_share=0.01), 5_070)
    151
    """
    return offers.opening_fee + round(offers.opening_fee_share * amount)


def _rate(policy: PolicySettings, outlook: _Outlook, fee_share: float) -> float | None:
    offers = policy.offers
    if offers.pricing is Pricing.same_for_all:
        return offers.rate
    payments = expected_payments(
        outlook.alive,
        outlook.defaults,
        outlook.target,
        policy.economics.loss_given_default,
        offers.interest,
        outlook.a_year,
    )
    exact = lowest_rate(payments, 1 - fee_share, offers.lowest_rate, offers.highest_apr)
    return None if exact is None else math.ceil(exact * STEPS_OF_RATE - SLACK) / STEPS_OF_RATE


def _economics_of(policy: PolicySettings, schedule: Schedule, fee: int, outlook: _Outlook) -> tuple[int, int]:
    """Return the expected loss and the expected margin of a term, discounted at the funding rate, in minor units."""
    owed, lost_share = schedule.owed, policy.economics.loss_given_default
    lost_of_all = present_value(owed, outlook.defaults, outlook.funding)
    paid = present_value(schedule.amounts, outlook.alive, outlook.funding)
    margin = fee + paid + (1 - lost_share) * lost_of_all - owed[0]
    return round(lost_share * lost_of_all), round(margin)
