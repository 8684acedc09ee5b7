"""The offer settings of a policy pack: limits, terms and prices."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import pairwise

from pipelines.credit.annual_rate import RateConvention
from pipelines.credit.instalments import Interest, Rounding
from pipelines.credit.loan import DEFINITIONS, BadDefinition
from pipelines.credit.periods import Repayment, broken_terms
from pipelines.errors import ConfigurationError

SIMULATED_SHAPE = (1.65, *(round(math.exp(-0.04 * month), 2) for month in range(2, 25)))
"""The hazard to stop paying of the simulated marketplace, where it is small: exp(0.5), then exp(-0.04 k) of month k
(STOP_AT_ONCE and STOP_LATER of pipelines/simulation/hazards.py). For any other book it is an assumption."""


class Pricing(Enum):
    """One rate for all, or for each loan the lowest rate that covers its risk."""

    same_for_all = "same_for_all"
    risk_based = "risk_based"


@dataclass
class OfferSettings:
    """Limits, terms and prices. Amounts are in minor units, rates are per year.

    Risk-based, the rate is the lowest at which the expected payments return the funding cost and the target margin. The
    policy's economics give the loss and the funding cost; their margin is the gates' and no part of a price.
    """

    terms: list[int] = field(default_factory=lambda: [3, 6, 12, 24])
    """Terms on offer, in periods of `repayment`."""
    repayment: Repayment = field(default_factory=Repayment)
    """Unit of the terms, and how often a loan is repaid."""
    lowest_amount: int = 1_000
    """Smallest loan."""
    lowest_instalment: int = 100
    """Smallest instalment; longer terms are not offered below it."""
    highest_amount: int = 2_000_000
    """Largest loan."""
    band_limits: list[float] = field(default_factory=lambda: [0.1, 0.25, 0.5, 0.75, 1.0])
    """Share of the largest loan that each band may have, from the lowest band on; [] sets no limit by band."""
    interest: Interest = Interest.annuity
    """How interest is computed."""
    rounding: Rounding = Rounding.half_even
    """How instalments are rounded to the minor unit."""
    pricing: Pricing = Pricing.risk_based
    """One rate for all, or the lowest that covers the own risk."""
    rate: float = 0.15
    """Rate for all."""
    lowest_rate: float = 0.0
    """Lowest risk-based rate."""
    target_margin: float = 0.03
    """Margin per year on the outstanding principal, of the risk-based rate."""
    apr: RateConvention = RateConvention.effective
    """Convention of the annual percentage rate."""
    highest_apr: float = 0.3
    """Highest annual percentage rate; terms above it are not offered."""
    opening_fee: int = 0
    """Opening fee."""
    opening_fee_share: float = 0.0
    """Opening fee as a share of the amount."""
    reference_months: int = 12
    """Length of the loan whose funding cost the economics state."""
    bad: BadDefinition = field(default_factory=lambda: replace(DEFINITIONS["dpd90_in_12_months"]))
    """Definition of default of the champion's PD."""
    hazard_by_month: list[float] = field(default_factory=lambda: list(SIMULATED_SHAPE))
    """Hazard to stop paying at instalment 1, 2, ... up to a factor; later ones use the last. The default is the
    simulated marketplace's."""


def check_offers(offers: OfferSettings, bands: int) -> None:
    """Raise ConfigurationError for settings that no offer can be made from; `bands` is how many the policy has."""
    for name, is_right, rule, received in _rules(offers, bands):
        if not is_right:
            raise ConfigurationError(f"policy.offers.{name} must {rule}, received {received}; change it")


def _rules(offers: OfferSettings, bands: int) -> Iterator[tuple[str, bool, str, object]]:
    limits, shape, every = offers.band_limits, offers.hazard_by_month, offers.repayment.every
    yield "repayment.every", every is None or every >= 1, "be at least 1, or null for one payment", every
    broken = broken_terms(offers.terms, offers.repayment)
    yield "terms", broken is None, broken or "", offers.terms
    yield "lowest_amount", offers.lowest_amount >= 1, "be at least 1", offers.lowest_amount
    yield "lowest_instalment", offers.lowest_instalment >= 1, "be at least 1", offers.lowest_instalment
    is_enough = offers.lowest_amount <= offers.highest_amount < 2**53
    yield (
        "highest_amount",
        is_enough,
        f"be between lowest_amount {offers.lowest_amount} and 2^53",
        offers.highest_amount,
    )
    yield (
        "band_limits",
        not limits or len(limits) == bands,
        f"be one share for each of the {bands} bands, or []",
        limits,
    )
    in_order = all(0 <= low <= high <= 1 for low, high in pairwise([0.0, *limits]))
    yield "band_limits", in_order, "be between 0 and 1 and not fall", limits
    for name, low, high in (
        ("rate", 0.0, 10.0),
        ("lowest_rate", 0.0, 10.0),
        ("target_margin", 0.0, 10.0),
        ("highest_apr", offers.lowest_rate, 100.0),
        ("opening_fee_share", 0.0, 0.99),
        ("opening_fee", 0, offers.lowest_amount * (1 - offers.opening_fee_share) - 1),
    ):
        value = getattr(offers, name)
        yield name, low <= value <= high, f"be between {low:g} and {high:g}", value
    yield "reference_months", offers.reference_months >= 1, "be at least 1", offers.reference_months
    yield "bad.days_past_due", offers.bad.days_past_due >= 1, "be at least 1", offers.bad.days_past_due
    bad, lengths = offers.bad, (offers.bad.window_months, offers.bad.window_days)
    yield "bad", lengths.count(None) == 1, "have one of window_months and window_days, and null for the other", lengths
    is_long = bad.longest_window_days >= bad.days_past_due
    name = "bad.window_months" if bad.window_days is None else "bad.window_days"
    yield name, is_long, "be so long that a loan can turn bad", bad.window_days or bad.window_months
    is_hazard = bool(shape) and all(0 < one < math.inf for one in shape)
    yield "hazard_by_month", is_hazard, "be numbers above 0, one for each instalment", shape
