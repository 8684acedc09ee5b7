"""A policy pack: what a score means, what a promotion must prove, who must agree, and what an applicant is told."""

from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from pipelines.credit.points import PointsScale
from pipelines.credit.profit import Economics
from pipelines.errors import ConfigurationError
from pipelines.policy.offer_settings import OfferSettings, check_offers
from pipelines.storage.json_values import plain


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
    """What a challenger must reach on the test part; a gate named in `advisory` is told and does not block.

    `minimum_bad` bad applications must lie in the test part, or nothing is proven either way. `minimum_auc` and the
    range of expected over observed defaults hold for every promotion, the first included; `largest_psi` bounds the move
    of the score's distribution from development to the test.

    Against a champion `claim` is tested one-sided on the paired difference of AUC; `confidence` holds for all
    challengers together that were ever tried on one test part. `auc_margin` is what `not_inferior` may lose.
    `profit_margin` is the share of the amount asked for that the profit at the cut-off may lose, at the lower end.

    `leak_sample` applications are recomputed from a lake cut at their observation time; on a flat table a feature whose
    AUC alone is above `most_telling_auc` blocks until it is named in `waived`. Evidence older than `evidence_days` is
    stale.
    """

    claim: Claim = Claim.superior
    confidence: float = 0.95
    auc_margin: float = 0.005
    profit_margin: float = 0.005
    minimum_bad: int = 30
    minimum_auc: float = 0.6
    lowest_expected_to_observed: float = 0.75
    highest_expected_to_observed: float = 1.33
    largest_psi: float = 0.25
    leak_sample: int = 1000
    most_telling_auc: float = 0.9
    waived: list[str] = field(default_factory=list)
    evidence_days: int = 30
    advisory: list[str] = field(default_factory=lambda: ["profit where it is inferred"])


@dataclass
class FairnessSettings:
    """What is asked of the decisions at the cut-off, by protected attribute and their intersections.

    Groups of fewer than `minimum_group` applications are told and not judged. `lowest_impact_ratio` bounds a group's
    approval rate over that of the most approved group; `largest_mean_difference` the standardised difference of mean
    points. Differences are only well-founded where risk differs: expected over observed defaults of each group lies
    between `lowest_expected_to_observed` and `highest_expected_to_observed`. None: not asked for.
    """

    minimum_group: int = 100
    lowest_impact_ratio: float | None = None
    largest_mean_difference: float | None = None
    lowest_expected_to_observed: float | None = None
    highest_expected_to_observed: float | None = None


@dataclass
class ReasonSettings:
    """What a declined applicant is told: at most `most` reasons, each opened by `opening`, and the `notice` after them.

    `wording` replaces the words of a group of features.
    """

    most: int = 4
    opening: str = ""
    notice: str = ""
    wording: dict[str, str] = field(default_factory=dict)


@dataclass
class ApprovalSettings:
    """Who must agree before a promotion is applied.

    `people` different persons approve; the one who asked counts among them only if `requester_may_approve`. With
    `signed` an approval counts only when it is signed with a key of `allowed_signers` (OpenSSH's format).
    """

    people: int = 0
    requester_may_approve: bool = True
    signed: bool = False
    allowed_signers: str | None = None


@dataclass
class ReviewSettings:
    """Who may decide when a person reviews a decision: with `requester_may_decide` also the one who asked for it."""

    requester_may_decide: bool = True


@dataclass
class PolicySettings:
    """A policy pack.

    `bands` are the lower ends of all bands but the lowest, in points; applications from `approve_from` points on are
    approved. `hidden_odds` bounds what is inferred about applications without an outcome: their odds of bad may be so
    many times the model's, or the model's so many times theirs (Rosenbaum's sensitivity parameter).
    """

    name: str = "default"
    scale: PointsScale = field(default_factory=PointsScale)
    bands: list[int] = field(default_factory=lambda: [550, 600, 650, 700])
    approve_from: int = 550
    automation: Automation = Automation.full
    economics: Economics = field(default_factory=Economics)
    offers: OfferSettings = field(default_factory=OfferSettings)
    hidden_odds: float = 2.0
    gates: GateSettings = field(default_factory=GateSettings)
    fairness: FairnessSettings = field(default_factory=FairnessSettings)
    reasons: ReasonSettings = field(default_factory=ReasonSettings)
    approvals: ApprovalSettings = field(default_factory=ApprovalSettings)
    reviews: ReviewSettings = field(default_factory=ReviewSettings)


def policy_hash(policy: PolicySettings) -> str:
    """Return the SHA-256 of all that a policy says."""
    from pipelines.storage.fingerprint import fingerprint_record  # brings pandas, which settings alone do not need

    return fingerprint_record(plain(policy))


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
            raise ConfigurationError(f"policy.{name} must lie between {low:g} and {high:g}, received {value:g}")
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
            f"a policy that asks {approvals.people} people needs signatures, or one could approve for all; "
            "received policy.approvals.signed=false; set it to true and name policy.approvals.allowed_signers"
        )
    if approvals.signed and approvals.allowed_signers is None:
        raise ConfigurationError(
            "signed approvals need to know whose keys count, received no policy.approvals.allowed_signers; "
            "name a file in the format of OpenSSH's allowed_signers"
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
            f"policy.scale.lowest must lie below highest, received {scale.lowest} and {scale.highest}; exchange them"
        )
    ends = [scale.lowest, *bands, scale.highest + 1]
    if any(low >= high for low, high in pairwise(ends)):
        raise ConfigurationError(
            f"policy.bands must rise between {scale.lowest} and {scale.highest}, received {bands}; put them in order"
        )
