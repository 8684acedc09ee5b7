"""The offer: amount, terms and prices, or the reason why nothing is offered."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pipelines.errors import DataError
from pipelines.policy.offer_settings import OfferSettings
from pipelines.policy.pack import PolicySettings
from pipelines.policy.term_offers import TermOffer, term_offers

APPROVED = "approved"
"""As the scorer spells it, which is not imported here: an offer needs no model."""


class OfferOutcome(Enum):
    """The result of a request for credit."""

    offered = "offered"
    counter_offer = "counter_offer"
    """Less than the requested amount: the limit."""
    declined = "declined"
    referred = "referred"
    """A person decides; nothing is offered until then."""
    no_offer = "no_offer"
    """Approved, but no term or amount within the policy's limits; `Offer.explanation` says which limit."""


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
    with a term of `asked_term` periods (None: at least as long as the window), or by term where the champion scored the
    application again with each term. It is brought to each offered term through the hazard.

    Raises:
        DataError: an unknown decision, an amount or term below 1, a PD outside of 0 to 1, or no PD for a term on offer.
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
    priced = term_offers(policy, lent, pd, asked_term)
    terms = tuple(one for one in priced.values() if isinstance(one, TermOffer))
    withheld = {term: one for term, one in priced.items() if isinstance(one, str)}
    if not terms:
        explanation = "no term can be offered; `withheld` gives the reason for each"
        return Offer(OfferOutcome.no_offer, amount, 0, limit, (), withheld, explanation)
    if lent < amount:
        explanation = f"the requested amount is above the limit of {limit} minor units; the limit is offered"
        return Offer(OfferOutcome.counter_offer, amount, lent, limit, terms, withheld, explanation)
    return Offer(OfferOutcome.offered, amount, lent, limit, terms, withheld, "")


def limit_of(offers: OfferSettings, band: int) -> int:
    """Return the most that is lent to a band, in minor units.

    >>> limit_of(OfferSettings(highest_amount=1000, band_limits=[0.0, 0.25, 1.0]), 1)
    250
    """
    return round(offers.highest_amount * offers.band_limits[band]) if offers.band_limits else offers.highest_amount


_NOT_APPROVED = {
    OfferOutcome.declined.value: "the application was declined",
    OfferOutcome.referred.value: "a person decides about the application; nothing is offered until then",
}


def _check(
    decision: str, pd: float | Mapping[int, float], amount: int, asked_term: int | None, offers: OfferSettings
) -> None:
    if decision != APPROVED and decision not in _NOT_APPROVED:
        raise DataError(f"decision is '{decision}'; pass approved, declined or referred")
    if not amount >= 1 or amount % 1:
        raise DataError(f"amount is {amount}; use whole minor units, at least 1")
    if asked_term is not None and asked_term < 1:
        raise DataError(f"term is {asked_term}; use at least 1 {offers.repayment.period.value}")
    if isinstance(pd, Mapping):
        missing = [term for term in offers.terms if term not in pd]
        if missing:
            raise DataError(f"the PDs by term lack the terms {missing}; score these too")
    for one in pd.values() if isinstance(pd, Mapping) else (pd,):
        if not 0 <= one <= 1:
            raise DataError(f"probability of default is {one}; pass a calibrated one between 0 and 1")


def _nothing(outcome: OfferOutcome, requested: int, limit: int, explanation: str) -> Offer:
    return Offer(outcome, requested, 0, limit, (), {}, explanation)


def _too_little(offers: OfferSettings, limit: int) -> str:
    if limit < offers.lowest_amount:
        return f"the limit of {limit} minor units is below the smallest loan, {offers.lowest_amount}"
    return f"the requested amount is below the smallest loan, {offers.lowest_amount} minor units"
