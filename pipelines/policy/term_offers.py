"""The price and the schedule of each term on offer, or why a term is withheld."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.credit.annual_rate import annual_rate, monthly_irr
from pipelines.credit.arrays import Floats
from pipelines.credit.hazard import monthly_defaults, months_in_window, survival
from pipelines.credit.instalments import Interest, Schedule, schedule_of
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

    For the customer: `term` in months, `rate` on what `interest` says, `apr` with the `fee` that is paid at once, to a
    hundredth of a per cent, and the schedule. For the lender: the PD over the term, the expected loss, and the
    `expected_margin` over funding cost and loss, both discounted at the funding rate.
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

    @property
    def total(self) -> int:
        """All that the customer pays, the fee included."""
        return self.fee + sum(self.schedule.amounts)

    def told(self) -> dict[str, Any]:
        """Return what the customer is told, as JSON values."""
        amounts = self.schedule.amounts
        return {
            "term": self.term,
            "interest": self.interest.value,
            "rate": self.rate,
            "apr": self.apr,
            "fee": self.fee,
            "instalment": amounts[0],
            "last_instalment": amounts[-1],
            "total": self.fee + sum(amounts),
            "schedule": [
                {"number": number, "amount": amount, "interest": interest, "principal": principal}
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
    if isinstance(pd, Mapping):
        windows = {term: months_in_window(offers.bad, term) for term in offers.terms}
        return {
            term: _term_offer(policy, amount, term, _outlook(policy, pd[term], window, term), pd[term], window)
            for term, window in windows.items()
        }
    window = months_in_window(offers.bad, asked_term or offers.bad.window_months)
    outlook = _outlook(policy, pd, window, max(offers.terms))
    return {term: _term_offer(policy, amount, term, outlook.first(term), pd, window) for term in offers.terms}


@dataclass(frozen=True)
class _Outlook:
    """What the months of a loan bring: its survival and default, and the discounts of each, shape (n,).

    `funding` discounts at what money costs, `asked` at what the lender asks of it.
    """

    alive: Floats
    defaults: Floats
    funding: Floats
    asked: Floats

    def first(self, months: int) -> "_Outlook":
        return _Outlook(self.alive[:months], self.defaults[:months], self.funding[:months], self.asked[:months])


def _outlook(policy: PolicySettings, pd: float, window: int, months: int) -> _Outlook:
    offers = policy.offers
    chances = survival(pd, window, offers.hazard_by_month, months)
    yearly = yearly_funding(policy.economics.funding_cost, offers.reference_months)
    return _Outlook(
        chances[1:],
        monthly_defaults(chances),
        discounts(yearly, months),
        discounts(yearly + offers.target_margin, months),
    )


def _term_offer(
    policy: PolicySettings, amount: int, term: int, outlook: _Outlook, pd: float, window: int
) -> TermOffer | str:
    offers = policy.offers
    fee = fee_of(offers, amount)
    rate = _rate(policy, outlook, fee / amount)
    if rate is None:
        return f"no rate within the highest annual percentage rate of {offers.highest_apr:.2%} covers the risk"
    schedule = schedule_of(amount, rate, term, offers.interest, offers.rounding)
    if min(schedule.amounts) < offers.lowest_instalment:
        return f"an instalment would be below the smallest of {offers.lowest_instalment} minor units"
    apr = _told_rate(annual_rate(monthly_irr(amount - fee, schedule.amounts), offers.apr))
    if apr > offers.highest_apr:
        return f"its annual percentage rate would be {apr:.2%}, above the highest of {offers.highest_apr:.2%}"
    over_term = pd if term == window else 1 - float(outlook.alive[-1])
    return TermOffer(
        term, offers.interest, rate, apr, fee, schedule, over_term, *_economics_of(policy, schedule, fee, outlook)
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
        outlook.alive, outlook.defaults, outlook.asked, policy.economics.loss_given_default, offers.interest
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
