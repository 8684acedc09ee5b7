"""Decisions over time: how many were approved, why not, what people changed, and how protected groups fared."""

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
class GroupConduct:
    """Decisions on one group of a protected attribute in a period; `ratio` is its approval rate over the best one's."""

    attribute: str
    group: str
    rows: int
    approved: int
    ratio: float | None
    is_low: bool

    @property
    def approval_rate(self) -> float:
        """The approved among the group."""
        return self.approved / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class PeriodConduct:
    """Decisions of one period: how many, by outcome and by reason, what people changed, and by protected group."""

    period: str
    rows: int
    decisions: Mapping[str, int]
    reasons: Mapping[str, int]
    reviewed: int
    to_approved: int
    to_declined: int
    groups: tuple[GroupConduct, ...]


MOST_PERIODS = 12
MOST_ROWS = 2_000_000
"""Groups are read row by row; a larger book is told without them."""

FOUR_FIFTHS = 0.8
"""Of the best group's approval rate; a group below is told as low (29 CFR 1607.4 D), unless the policy says less."""


def conduct_of(
    workspace: Workspace, counts: PeriodCounts, key: LogKey, policy: PolicySettings | None
) -> tuple[PeriodConduct, ...]:
    """Return the conduct of a period and of those before it that the same version decided, in order."""
    periods = [*earlier_periods(counts.log, key), key.period][-MOST_PERIODS:]
    reviewed = {
        one.period: one
        for one in overrides_by_period(Reviews(workspace), model=key.model)
        if (one.version, one.population) == (key.version, key.population.value)
    }
    fairness = policy.fairness if policy is not None else FairnessSettings()
    return tuple(_conduct(counts, replace(key, period=period), fairness, reviewed) for period in periods)


def _conduct(
    counts: PeriodCounts,
    key: LogKey,
    fairness: FairnessSettings,
    reviewed: Mapping[str, Overrides],
) -> PeriodConduct:
    tally = counts.of(key).overall
    changed = reviewed.get(key.period)
    return PeriodConduct(
        period=key.period,
        rows=tally.rows,
        decisions=dict(tally.decisions),
        reasons=dict(tally.reasons.most_common()),
        reviewed=changed.reviewed if changed else 0,
        to_approved=changed.to_approved if changed else 0,
        to_declined=changed.to_declined if changed else 0,
        groups=_groups(counts.log, key, fairness) if tally.rows <= MOST_ROWS else (),
    )


def _groups(log: ScoreLog, key: LogKey, settings: FairnessSettings) -> tuple[GroupConduct, ...]:
    protected = log.protected(key)
    attributes = [str(name) for name in protected if name != "decision_id"]
    if not attributes:
        return ()
    rows = log.decisions(key)
    told = protected.set_index("decision_id").reindex(rows["decision_id"])
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
        for one in group_fairness(name, _labels(told[name]), decided, minimum_group=settings.minimum_group)
    )


def _labels(values: "pd.Series[str]") -> NDArray[np.str_]:
    return np.asarray(values.astype(object).where(values.notna(), "(missing)").astype(str), dtype=np.str_)


def _group(one: GroupFairness, lowest: float) -> GroupConduct:
    """Return a group; it is low where even the upper end of its ratio's interval is."""
    return GroupConduct(
        attribute=one.attribute,
        group=one.level,
        rows=one.rows,
        approved=round(one.approval_rate * one.rows),
        ratio=one.impact_ratio,
        is_low=one.ratio_high is not None and one.ratio_high < lowest,
    )
