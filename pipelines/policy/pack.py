"""A policy pack: points and bands, cut-off, offers, gates, fairness bounds, approvals and the wording of reasons."""

from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from pipelines.credit.points import PointsScale
from pipelines.credit.profit import Economics
from pipelines.errors import ConfigurationError
from pipelines.policy.offer_settings import OfferSettings, check_offers
from pipelines.storage.json_values import to_json_values


class Claim(Enum):
    """What a challenger must prove against the champion: that it is better, or that it is not worse by a margin."""

    superior = "superior"
    not_inferior = "not_inferior"


class Automation(Enum):
    """What may be decided without a person: everything, or everything but a decline."""

    full = "full"
    declines_are_referred = "declines_are_referred"


@dataclass
class GateSettings:
    """What a challenger must reach on the test part."""

    claim: Claim = Claim.superior
    """What a challenger must prove against the champion: that it is better, or not worse by a margin."""
    confidence: float = 0.95
    """Confidence of the tests, for all challengers together that were tried on one test part."""
    auc_margin: float = 0.005
    """AUC that `not_inferior` may lose."""
    profit_margin: float = 0.005
    """Share of the requested amount that the profit at the cut-off may lose, at the lower end of its interval."""
    minimum_bad: int = 30
    """Bad applications that the test part must hold."""
    minimum_auc: float = 0.6
    """Lowest AUC, also of a first champion."""
    lowest_expected_to_observed: float = 0.75
    """Lowest ratio of expected to observed defaults."""
    highest_expected_to_observed: float = 1.33
    """Highest ratio of expected to observed defaults."""
    largest_psi: float = 0.25
    """Largest PSI of the score from development to the test part."""
    leak_sample: int = 1000
    """Applications whose features are recomputed from data cut at their observation time."""
    most_telling_auc: float = 0.9
    """On a flat table, AUC of a single feature above which it counts as a leak."""
    waived: list[str] = field(default_factory=list)
    """Features exempt from that rule."""
    evidence_days: int = 30
    """Days after which evidence is too old."""
    advisory: list[str] = field(default_factory=lambda: ["profit where it is inferred"])
    """Gates that are reported and do not block."""
    may_be_unmeasured: list[str] = field(default_factory=lambda: ["outcome maturity", "same outcome", "same test part"])
    """Gates that do not block where the data or a record lacks what they read."""


@dataclass
class FairnessSettings:
    """Bounds on the decisions at the cut-off, by protected attribute and their intersections. A bound of null is not
    checked."""

    minimum_group: int = 100
    """Applications below which a group is reported and not judged."""
    lowest_impact_ratio: float | None = None
    """Lowest approval rate of a group over that of the most approved group."""
    largest_mean_difference: float | None = None
    """Largest standardised difference of mean points."""
    lowest_expected_to_observed: float | None = None
    """Lowest ratio of expected to observed defaults of a group."""
    highest_expected_to_observed: float | None = None
    """Highest ratio of expected to observed defaults of a group."""


@dataclass
class ReasonSettings:
    """The reasons given to a declined applicant."""

    most: int = 4
    """Most reasons given."""
    opening: str = ""
    """Sentence before the reasons."""
    notice: str = ""
    """Text after the reasons."""
    wording: dict[str, str] = field(default_factory=dict)
    """Reason group: its wording in this jurisdiction."""


@dataclass
class ApprovalSettings:
    """Who must approve before a promotion is applied."""

    people: int = 0
    """Different people who must approve."""
    requester_may_approve: bool = True
    """Whether the requester counts among them."""
    signed: bool = False
    """Count an approval only when it is signed."""
    allowed_signers: str | None = None
    """File of the keys that count, in OpenSSH's allowed_signers format."""


@dataclass
class ReviewSettings:
    """Who may decide a review."""

    requester_may_decide: bool = True
    """Whether the person who requested a review may decide it."""


@dataclass
class PolicySettings:
    """A policy pack."""

    name: str = "default"
    """Name of the pack."""
    scale: PointsScale = field(default_factory=PointsScale)
    """Points scale."""
    bands: list[int] = field(default_factory=lambda: [550, 600, 650, 700])
    """Lower ends of all bands but the lowest, in points."""
    approve_from: int = 550
    """Cut-off: applications from so many points on are approved."""
    automation: Automation = Automation.full
    """What may be decided without a person."""
    economics: Economics = field(default_factory=Economics)
    """What a good and a bad loan earn and cost."""
    offers: OfferSettings = field(default_factory=OfferSettings)
    """Limits, terms and prices."""
    hidden_odds: float = 2.0
    """Factor by which the odds of applications without an outcome may differ from the model's (Rosenbaum's sensitivity
    parameter)."""
    gates: GateSettings = field(default_factory=GateSettings)
    """What a challenger must reach."""
    fairness: FairnessSettings = field(default_factory=FairnessSettings)
    """Bounds by protected group."""
    reasons: ReasonSettings = field(default_factory=ReasonSettings)
    """The reasons given to a declined applicant."""
    approvals: ApprovalSettings = field(default_factory=ApprovalSettings)
    """Who must approve a promotion."""
    reviews: ReviewSettings = field(default_factory=ReviewSettings)
    """Who may decide a review."""


def policy_hash(policy: PolicySettings) -> str:
    """Return the SHA-256 of all settings of a policy."""
    from pipelines.storage.fingerprint import fingerprint_record  # brings pandas, which settings alone do not need

    return fingerprint_record(to_json_values(policy))


def check_policy(policy: PolicySettings) -> None:
    """Raise ConfigurationError for a policy that cannot rank, price or judge."""
    _check_scale(policy)
    _check_approvals(policy.approvals)
    check_offers(policy.offers, len(policy.bands) + 1)
    gates, economics = policy.gates, policy.economics
    for name, value, low, high in (
        ("gates.confidence", gates.confidence, 0.5, 1.0),
        ("gates.auc_margin", gates.auc_margin, 0.0, 0.5),
        ("gates.profit_margin", gates.profit_margin, 0.0, 1.0),
        ("economics.loss_given_default", economics.loss_given_default, 0.0, 1.0),
        ("economics.margin", economics.margin, 0.0, 10.0),
        ("economics.funding_cost", economics.funding_cost, 0.0, 10.0),
    ):
        if not low <= value <= high or (name == "gates.confidence" and value == high):
            raise ConfigurationError(f"policy.{name} must be between {low:g} and {high:g}, received {value:g}")
    for name, count, least in (
        ("gates.leak_sample", gates.leak_sample, 1),
        ("gates.minimum_bad", gates.minimum_bad, 2),
        ("gates.evidence_days", gates.evidence_days, 1),
        ("fairness.minimum_group", policy.fairness.minimum_group, 2),
        ("reasons.most", policy.reasons.most, 1),
    ):
        if count < least:
            raise ConfigurationError(f"policy.{name} must be at least {least}, received {count}; raise it")
    if policy.hidden_odds < 1:
        raise ConfigurationError(f"policy.hidden_odds must be at least 1, received {policy.hidden_odds}; try 2")


def _check_approvals(approvals: ApprovalSettings) -> None:
    if approvals.people < 0:
        raise ConfigurationError(f"policy.approvals.people must not be negative, received {approvals.people}; try 2")
    if approvals.people >= 2 and not approvals.signed:
        raise ConfigurationError(
            f"policy.approvals.people is {approvals.people} and policy.approvals.signed is false, so one person could "
            "approve for all; set signed to true and name policy.approvals.allowed_signers"
        )
    if approvals.signed and approvals.allowed_signers is None:
        raise ConfigurationError(
            "policy.approvals.signed is true and policy.approvals.allowed_signers is not set; name a file in OpenSSH's "
            "allowed_signers format"
        )


def _check_scale(policy: PolicySettings) -> None:
    scale, bands = policy.scale, policy.bands
    if scale.points_to_double_the_odds <= 0:
        raise ConfigurationError(
            "policy.scale.points_to_double_the_odds must be above 0, or less risk would not earn more points, received "
            f"{scale.points_to_double_the_odds}; use for example 50"
        )
    if scale.base_odds <= 0:
        raise ConfigurationError(f"policy.scale.base_odds must be above 0, received {scale.base_odds}; try 15")
    if scale.lowest >= scale.highest:
        raise ConfigurationError(
            f"policy.scale.lowest must be below highest, received {scale.lowest} and {scale.highest}; swap them"
        )
    ends = [scale.lowest, *bands, scale.highest + 1]
    if any(low >= high for low, high in pairwise(ends)):
        raise ConfigurationError(
            f"policy.bands must rise between {scale.lowest} and {scale.highest}, received {bands}; put them in order"
        )
