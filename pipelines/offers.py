"""The offer: how much is lent, for which terms and at what price, or clearly that nothing is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pipelines.credit.annual_rate import annual_rate, monthly_irr
from pipelines.credit.hazard import monthly_defaults, months_in_window, survival
from pipelines.credit.instalments import Interest, Schedule, schedule_of
from pipelines.credit.risk_price import (
    Floats,
    discounts,
    expected_payments,
    lowest_rate,
    present_value,
    yearly_funding,
)
from pipelines.errors import DataError
from pipelines.offer_settings import OfferSettings, Pricing
from pipelines.policy import PolicySettings

APPROVED = "approved"
"""As the scorer spells it, which is not imported here: an offer needs no model."""

STEPS_OF_RATE = 10_000
"""A risk-based rate and every annual percentage rate are whole numbers of hundredths of a per cent."""

SLACK = 1e-4
"""Of such a step: what the search for a rate may be off."""


class OfferOutcome(Enum):
    """What became of the request for credit."""

    offered = "offered"
    counter_offer = "counter_offer"
    """Less than was asked for: the limit."""
    declined = "declined"
    referred = "referred"
    """A person decides; nothing is offered until then."""
    no_offer = "no_offer"
    """Approved, but no term or amount within the policy's limits; `Offer.explanation` says which limit."""


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


@dataclass(frozen=True)
class Offer:
    """What is offered of the amount that was asked for, in minor units; without an offer `amount` is 0.

    `withheld` says for each term that is not offered why; `explanation` is one sentence for whatever was not granted as
    it was asked for, empty otherwise.
    """

    outcome: OfferOutcome
    requested: int
    amount: int
    limit: int
    terms: tuple[TermOffer, ...]
    withheld: Mapping[int, str]
    explanation: str

    def told(self) -> dict[str, Any]:
        """Return what the customer is told, as JSON values: no PD, no expected loss, no margin."""
        return {
            "outcome": self.outcome.value,
            "requested": self.requested,
            "amount": self.amount,
            "limit": self.limit,
            "terms": [one.told() for one in self.terms],
            "withheld": [{"term": term, "why": why} for term, why in self.withheld.items()],
            "explanation": self.explanation,
        }


def offer_of(
    policy: PolicySettings,
    *,
    decision: str,
    band: int,
    pd: float | Mapping[int, float],
    amount: int,
    asked_term: int | None = None,
) -> Offer:
    """Return the offer for one decided application.

    `decision` is approved, declined or referred; `band` counts from 0, the lowest; `amount` is asked for in minor
    units. `pd` is the champion's, over the window of `policy.offers.bad`: one number, of the application as it was made
    with `asked_term` months (None: at least as long as the window), or by term where the champion was asked anew with
    each term in its place. It is brought to each offered term through the monthly hazard.

    Raises:
        DataError: an unknown decision, an amount or term below 1, a PD that is none, or none for a term on offer.
    """
    offers = policy.offers
    _check(decision, pd, amount, asked_term, offers)
    amount = int(amount)  # numpy's own whole numbers are no JSON
    if decision != APPROVED:
        return _nothing(OfferOutcome(decision), amount, 0, _NOT_APPROVED[decision])
    limit = limit_of(offers, band)
    lent = min(amount, limit)
    if lent < offers.lowest_amount:
        return _nothing(OfferOutcome.no_offer, amount, limit, _too_little(offers, limit))
    priced = _priced(policy, lent, pd, asked_term)
    terms = tuple(one for one in priced.values() if isinstance(one, TermOffer))
    withheld = {term: one for term, one in priced.items() if isinstance(one, str)}
    if not terms:
        return Offer(
            OfferOutcome.no_offer,
            amount,
            0,
            limit,
            (),
            withheld,
            "no term can be offered: see why each is withheld",
        )
    if lent < amount:
        told = f"the amount asked for is above the limit of {limit} minor units; that is offered"
        return Offer(OfferOutcome.counter_offer, amount, lent, limit, terms, withheld, told)
    return Offer(OfferOutcome.offered, amount, lent, limit, terms, withheld, "")


def limit_of(offers: OfferSettings, band: int) -> int:
    """Return the most that is lent to a band, in minor units.

    >>> limit_of(OfferSettings(highest_amount=1000, band_limits=[0.0, 0.25, 1.0]), 1)
    250
    """
    return math.floor(offers.highest_amount * offers.band_limits[band]) if offers.band_limits else offers.highest_amount


_NOT_APPROVED = {
    OfferOutcome.declined.value: "the application was declined",
    OfferOutcome.referred.value: "a person decides about the application; nothing is offered until then",
}


def _check(
    decision: str, pd: float | Mapping[int, float], amount: int, asked_term: int | None, offers: OfferSettings
) -> None:
    if decision != APPROVED and decision not in _NOT_APPROVED:
        raise DataError(f"a decision is approved, declined or referred, received '{decision}'; pass the scorer's")
    if not amount >= 1 or amount % 1:
        raise DataError(f"the amount asked for is whole minor units, at least 1, received {amount}; correct 'amount'")
    if asked_term is not None and asked_term < 1:
        raise DataError(f"the term asked for must be at least 1 month, received {asked_term}; correct 'term'")
    if isinstance(pd, Mapping):
        missing = [term for term in offers.terms if term not in pd]
        if missing:
            raise DataError(f"a PD by term must name each term on offer, received none for {missing}; score these too")
    for one in pd.values() if isinstance(pd, Mapping) else (pd,):
        if not 0 <= one <= 1:
            raise DataError(f"a probability of default lies between 0 and 1, received {one}; pass the calibrated one")


def _nothing(outcome: OfferOutcome, requested: int, limit: int, explanation: str) -> Offer:
    return Offer(outcome, requested, 0, limit, (), {}, explanation)


def _too_little(offers: OfferSettings, limit: int) -> str:
    if limit < offers.lowest_amount:
        return f"the limit of {limit} minor units is below the smallest amount that is lent, {offers.lowest_amount}"
    return f"the amount asked for is below the smallest that is lent, {offers.lowest_amount} minor units"


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


def _priced(
    policy: PolicySettings, amount: int, pd: float | Mapping[int, float], asked_term: int | None
) -> dict[int, TermOffer | str]:
    """Return for each term its offer, or why there is none.

    A PD speaks about no more instalments than the loan had that it was asked for.
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
    """Return the opening fee on an amount, paid at once and not financed, in minor units.

    >>> fee_of(OfferSettings(opening_fee=100, opening_fee_share=0.01), 5_050)
    150
    """
    return offers.opening_fee + math.floor(offers.opening_fee_share * amount)


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
