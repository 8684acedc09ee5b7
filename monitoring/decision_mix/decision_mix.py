"""Decisions over time: approvals, reasons, changes by reviewers, and approval rates of protected groups."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from monitoring.windows.windows import PeriodCounts, earlier_periods
from pipelines.applications.protected_groups import protected_groups
from pipelines.credit.fairness import Decisions, GroupFairness, group_fairness, pooled
from pipelines.policy.decision_rule import Bound, Decides, Interval
from pipelines.policy.pack import FairnessSettings, PolicySettings, what_decides
from pipelines.reviews.overrides import Overrides, overrides_by_period
from pipelines.reviews.reviews import Reviews
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import ScoreLog
from pipelines.scoring.scorer import APPROVED
from pipelines.storage.workspace import Workspace


@dataclass(frozen=True)
class GroupDecisions:
    """Decisions on one group of a protected attribute in a period; `ratio` is to the best group's approval rate.

    `is_low` is whether it breaks the policy's bound, by the rule of the gate "impact ratio"; without a bound none does.
    """

    attribute: str
    group: str
    rows: int
    approved: int
    ratio: float | None
    is_low: bool

    @property
    def approval_rate(self) -> float:
        """The approved share of the group."""
        return self.approved / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class DecisionMix:
    """Decisions of one period by outcome, reason and protected group, and how many reviewers changed."""

    period: str
    rows: int
    decisions: Mapping[str, int]
    reasons: Mapping[str, int]
    reviewed: int
    to_approved: int
    to_declined: int
    groups: tuple[GroupDecisions, ...]


GATE = ("impact ratio", "four-fifths ratio", "fairness")
"""The names under which a policy sets what decides the bound of the impact ratio."""

MOST_PERIODS = 12
MOST_ROWS = 2_000_000
"""Groups are read row by row; a larger period is reported without them."""


def decision_mixes(
    workspace: Workspace, counts: PeriodCounts, key: LogKey, policy: PolicySettings | None
) -> tuple[DecisionMix, ...]:
    """Return the decision mix of a period and of those before it that the same version decided, in order."""
    periods = [*earlier_periods(counts.log, key), key.period][-MOST_PERIODS:]
    reviewed = {
        one.period: one
        for one in overrides_by_period(Reviews(workspace), model=key.model)
        if (one.version, one.population) == (key.version, key.population.value)
    }
    policy = policy or PolicySettings()
    return tuple(_decision_mix(counts, replace(key, period=period), policy, reviewed) for period in periods)


def _decision_mix(
    counts: PeriodCounts,
    key: LogKey,
    policy: PolicySettings,
    reviewed: Mapping[str, Overrides],
) -> DecisionMix:
    tally = counts.of(key).overall
    changed = reviewed.get(key.period)
    return DecisionMix(
        period=key.period,
        rows=tally.rows,
        decisions=dict(tally.decisions),
        reasons=dict(tally.reasons.most_common()),
        reviewed=changed.reviewed if changed else 0,
        to_approved=changed.to_approved if changed else 0,
        to_declined=changed.to_declined if changed else 0,
        groups=_groups(counts.log, key, policy) if tally.rows <= MOST_ROWS else (),
    )


def _groups(log: ScoreLog, key: LogKey, policy: PolicySettings) -> tuple[GroupDecisions, ...]:
    protected = log.protected(key)
    attributes = [str(name) for name in protected if name != "decision_id"]
    if not attributes:
        return ()
    rows = log.decisions(key)
    values = protected.set_index("decision_id").reindex(rows["decision_id"])
    settings, decides = policy.fairness, what_decides(policy.gates, *GATE)
    decided = Decisions(
        approved=(rows["decision"] == APPROVED).to_numpy(),
        points=rows["points"].to_numpy(np.int64),
        bad=np.full(len(rows), -1, np.int8),
        probability=rows["pd"].to_numpy(float),
    )
    minimum = settings.minimum_group
    return tuple(
        _group(one, settings, decides)
        for name, labels in protected_groups(values[attributes], settings.bands).labels.items()
        for one in group_fairness(name, pooled(labels, minimum), decided, minimum_group=minimum)
    )


def _group(one: GroupFairness, settings: FairnessSettings, decides: Decides) -> GroupDecisions:
    lowest, ratio = settings.lowest_impact_ratio, one.impact_ratio
    is_low = False
    if lowest is not None and ratio is not None:
        is_low = not Bound(low=lowest).judge(Interval(ratio, one.ratio_low, one.ratio_high), decides).is_met
    return GroupDecisions(
        attribute=one.attribute,
        group=one.level,
        rows=one.rows,
        approved=round(one.approval_rate * one.rows),
        ratio=ratio,
        is_low=is_low,
    )
