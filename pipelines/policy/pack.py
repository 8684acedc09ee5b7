"""A policy pack: points and bands, cut-off, offers, gates, fairness bounds, approvals and the wording of reasons."""

import math
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import Any

from pipelines.credit.points import PointsScale
from pipelines.credit.profit import Economics
from pipelines.errors import ConfigurationError
from pipelines.policy.decision_rule import Decides
from pipelines.policy.model_settings import ModelSettings, check_models
from pipelines.policy.offer_settings import OfferSettings, check_offers
from pipelines.secrets.environment_text import environment_texts, to_record
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
    most_tests_of_one_test_part: int | None = 50
    """Most judgements of versions of a model on one test part, the same one made again counted once; null sets no
    limit."""
    minimum_auc: float = 0.6
    """Lowest AUC, also of a first champion."""
    lowest_expected_to_observed: float = 0.75
    """Lowest ratio of expected to observed defaults."""
    highest_expected_to_observed: float = 1.33
    """Highest ratio of expected to observed defaults."""
    largest_psi: float = 0.25
    """Largest PSI of the score from development to the test part."""
    monotone: float | None = None
    """Largest share of applications in which the score may move against the declared direction of a feature
    (data.directions); 0 allows none, null does not check."""
    leak_sample: int = 1000
    """Applications whose features are recomputed from data cut at their observation time."""
    most_telling_auc: float = 0.9
    """On a flat table, AUC of a single feature above which it counts as a leak."""
    waived: list[str] = field(default_factory=list)
    """Features exempt from that rule."""
    lowest_approval_rate: float = 0.1
    """Approval rate at the cut-off below which a warning is given."""
    highest_approval_rate: float = 0.97
    """Approval rate at the cut-off above which a warning is given."""
    largest_share_at_end: float = 0.1
    """Share of all scores at the lowest or at the highest points of the scale above which a warning is given."""
    largest_loss_of_points: float = 0.002
    """AUC that points may lose against the PD before a warning is given."""
    evidence_days: int = 30
    """Days after which evidence is too old."""
    decides: Decides = Decides.figure
    """What decides a gate whose figure has an interval: the `figure`, the `worst_end` of the interval (passes where the
    bound is proven to be met) or the `best_end` (fails where it is proven to be broken)."""
    decides_by_gate: dict[str, Decides] = field(default_factory=lambda: {"calibration by group": Decides.best_end})
    """Gate: what decides it, in place of `decides`. Claims against the champion are always decided by their test."""
    blocking: list[str] = field(default_factory=list)
    """Warnings that refuse a promotion as other gates do."""
    advisory: list[str] = field(default_factory=lambda: ["profit where it is inferred"])
    """Gates that are reported and do not block."""
    may_be_unmeasured: list[str] = field(default_factory=lambda: ["outcome maturity", "same outcome", "same test part"])
    """Gates that do not block where the data or a record lacks what they read."""


@dataclass
class FairnessSettings:
    """Bounds on the decisions at the cut-off, by protected attribute and their intersections. A bound of null is not
    checked."""

    minimum_group: int = 100
    """Applications below which a group is pooled with other small ones of its attribute; a pool below it is not judged.
    """
    bands: dict[str, list[float]] = field(
        default_factory=lambda: {name: [25.0, 35.0, 45.0, 55.0, 65.0] for name in ("age", "age_in_years")}
    )
    """Protected attribute: the edges between the bands of its numbers, which are its groups."""
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
    """No longer used: the environment variable THINFILE_SIGNERS names the file of the keys that count."""


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
    models: ModelSettings = field(default_factory=ModelSettings)
    """Which models may run code that is not Thinfile's own."""


def what_decides(gates: GateSettings, *names: str) -> Decides:
    """Return what decides a gate: the entry for the first of its names that has one, or what decides all gates.

    >>> what_decides(GateSettings(), "calibration by group").value, what_decides(GateSettings(), "calibration").value
    ('best_end', 'figure')
    """
    own = (gates.decides_by_gate[name] for name in names if name in gates.decides_by_gate)
    return next(own, gates.decides)


def policy_hash(policy: PolicySettings) -> str:
    """Return the SHA-256 of all settings of a policy, as they are recorded."""
    from pipelines.storage.fingerprint import fingerprint_record  # brings pandas, which settings alone do not need

    return fingerprint_record(as_recorded(policy))


def as_recorded(policy: PolicySettings) -> dict[str, Any]:
    """Return all settings of a policy as JSON values, as they are recorded."""
    record: dict[str, Any] = to_record(to_json_values(policy))
    return record


def check_policy(policy: PolicySettings) -> None:
    """Raise ConfigurationError for a policy that cannot rank, price or judge."""
    _check_environment(policy)
    _check_scale(policy)
    _check_approvals(policy.approvals)
    _check_bands(policy.fairness)
    check_offers(policy.offers, len(policy.bands) + 1)
    check_models(policy.models)
    gates, economics = policy.gates, policy.economics
    for name, value, low, high in (
        ("gates.confidence", gates.confidence, 0.5, 1.0),
        ("gates.auc_margin", gates.auc_margin, 0.0, 0.5),
        ("gates.profit_margin", gates.profit_margin, 0.0, 1.0),
        ("gates.monotone", gates.monotone or 0.0, 0.0, 1.0),
        ("gates.lowest_approval_rate", gates.lowest_approval_rate, 0.0, 1.0),
        ("gates.highest_approval_rate", gates.highest_approval_rate, gates.lowest_approval_rate, 1.0),
        ("gates.largest_share_at_end", gates.largest_share_at_end, 0.0, 1.0),
        ("gates.largest_loss_of_points", gates.largest_loss_of_points, 0.0, 0.5),
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
        ("gates.most_tests_of_one_test_part", gates.most_tests_of_one_test_part, 1),
        ("fairness.minimum_group", policy.fairness.minimum_group, 2),
        ("reasons.most", policy.reasons.most, 1),
    ):
        if count is not None and count < least:
            raise ConfigurationError(f"policy.{name} must be at least {least}, received {count}; raise it")
    if policy.hidden_odds < 1:
        raise ConfigurationError(f"policy.hidden_odds must be at least 1, received {policy.hidden_odds}; try 2")


def are_edges(edges: object) -> bool:
    """Return whether a setting is a list of finite numbers in ascending order, each once."""
    if not isinstance(edges, list | tuple) or not all(isinstance(one, int | float) for one in edges):
        return False
    return bool(edges) and all(map(math.isfinite, edges)) and sorted(set(edges)) == list(edges)


def _check_bands(fairness: FairnessSettings) -> None:
    for name, edges in fairness.bands.items():
        if not are_edges(edges):
            raise ConfigurationError(
                f"policy.fairness.bands.{name} is {edges}; list the edges between bands in ascending order, each once"
            )


def _check_environment(policy: PolicySettings) -> None:
    """Raise ConfigurationError where a text that decides comes from the environment: the hash must prove it."""
    for key, text in environment_texts(policy):
        if not key.startswith("reasons."):
            raise ConfigurationError(
                f"policy.{key} reads the environment ({text.unresolved}), and what a policy decides must be in its "
                "record; write the value into the policy"
            )


def _check_approvals(approvals: ApprovalSettings) -> None:
    if approvals.people < 0:
        raise ConfigurationError(f"policy.approvals.people must not be negative, received {approvals.people}; try 2")
    if approvals.people >= 2 and not approvals.signed:
        raise ConfigurationError(
            f"policy.approvals.people is {approvals.people} and policy.approvals.signed is false, so one person could "
            "approve for all; set signed to true and name the file of keys in THINFILE_SIGNERS"
        )
    if approvals.allowed_signers is not None:
        raise ConfigurationError(
            f"policy.approvals.allowed_signers='{approvals.allowed_signers}' is not a setting of policies any more, "
            "because who writes a policy must not choose whose keys count; remove it and name the file in the "
            "environment variable THINFILE_SIGNERS"
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
