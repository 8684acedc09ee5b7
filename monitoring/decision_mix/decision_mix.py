"""Decisions over time: approvals, reasons, changes by reviewers, and approval rates of protected groups."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monitoring.windows.windows import PeriodCounts, earlier_periods
from pipelines.credit.fairness import Decisions, GroupFairness, group_fairness
from pipelines.policy.pack import FairnessSettings, PolicySettings
from pipelines.reviews.overrides import Overrides, overrides_by_period
from pipelines.reviews.reviews import Reviews
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import ScoreLog
from pipelines.scoring.scorer import APPROVED
from pipelines.storage.workspace import Workspace


@dataclass(frozen=True)
class GroupDecisions:
    """Decisions on one group of a protected attribute in a period; `ratio` is to the best group's approval rate."""

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


MOST_PERIODS = 12
MOST_ROWS = 2_000_000
"""Groups are read row by row; a larger period is reported without them."""

FOUR_FIFTHS = 0.8
"""Lowest ratio to the best group's approval rate (29 CFR 1607.4 D), unless the policy sets another one."""


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
    fairness = policy.fairness if policy is not None else FairnessSettings()
    return tuple(_decision_mix(counts, replace(key, period=period), fairness, reviewed) for period in periods)


def _decision_mix(
    counts: PeriodCounts,
    key: LogKey,
    fairness: FairnessSettings,
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
        groups=_groups(counts.log, key, fairness) if tally.rows <= MOST_ROWS else (),
    )


def _groups(log: ScoreLog, key: LogKey, settings: FairnessSettings) -> tuple[GroupDecisions, ...]:
    protected = log.protected(key)
    attributes = [str(name) for name in protected if name != "decision_id"]
    if not attributes:
        return ()
    rows = log.decisions(key)
    values = protected.set_index("decision_id").reindex(rows["decision_id"])
    decided = Decisions(
        approved=(rows["decision"] == APPROVED).to_numpy(),
        points=rows["points"].to_numpy(np.int64),
        bad=np.full(len(rows), -1, np.int8),
        probability=rows["pd"].to_numpy(float),
    )
    lowest = settings.lowest_impact_ratio or FOUR_FIFTHS
    return tuple(
        _group(one, lowest)
        for name in attributes
        for one in group_fairness(name, _labels(values[name]), decided, minimum_group=settings.minimum_group)
    )


def _labels(values: "pd.Series[str]") -> NDArray[np.str_]:
    return np.asarray(values.astype(object).where(values.notna(), "(missing)").astype(str), dtype=np.str_)


def _group(one: GroupFairness, lowest: float) -> GroupDecisions:
    """Return a group; it is low where even the upper end of the interval of its ratio is low."""
    return GroupDecisions(
        attribute=one.attribute,
        group=one.level,
        rows=one.rows,
        approved=round(one.approval_rate * one.rows),
        ratio=one.impact_ratio,
        is_low=one.ratio_high is not None and one.ratio_high < lowest,
    )
