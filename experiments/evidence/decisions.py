"""Decisions at the policy's cut-off on all applicants of the test period: profit, swap set, fairness."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.evidence.evaluation_set import EvaluationSet, ScoredVersion, amounts_of
from pipelines.applications.applications import Applications
from pipelines.applications.protected_groups import ProtectedGroups
from pipelines.applications.ttd_population import decided_ttd_population
from pipelines.credit import swap_set
from pipelines.credit.fairness import Decisions, fairness
from pipelines.credit.points import points
from pipelines.credit.profit import cutoff_table
from pipelines.policy.pack import PolicySettings
from pipelines.storage.workspace import Workspace

CUTOFF_STEP = 25
"""Points between two cut-offs of the table."""

UNKNOWN = -1
"""Outcome of an application without one."""

CONFIDENCE = 0.95

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class TtdPopulation:
    """All applicants of the test period, shape (n,): `bad` is -1 without an outcome, `by_lot` marks random approvals.

    `ever` are the applicants of all periods with earlier decisions; None where there are no earlier decisions.
    """

    applications: Applications
    bad: NDArray[np.int8]
    by_lot: Flags
    amount: Floats
    ever: Applications | None = None


def ttd_population_of(evaluation_set: EvaluationSet, workspace: Workspace) -> TtdPopulation:
    """Return all applicants of the test period, or the test part without a table of all applicants."""
    test = evaluation_set.test
    everyone = decided_ttd_population(evaluation_set.data, workspace, test.roles, keep_raw=True)
    if everyone is None or test.times is None:
        return TtdPopulation(test, test.outcomes, np.zeros(len(test), bool), amounts_of(test, evaluation_set.data))
    applicants = everyone.during(test.times.min(), test.times.max())
    outcome = dict(zip(test.ids.tolist(), test.outcomes.tolist(), strict=True))
    bad = np.array([outcome.get(one, UNKNOWN) for one in applicants.ids.tolist()], np.int8)
    by_lot = np.zeros(len(applicants), bool) if applicants.by_lot is None else applicants.by_lot
    return TtdPopulation(applicants, bad, by_lot, amounts_of(applicants, evaluation_set.data), everyone)


def cutoffs(ttd: TtdPopulation, probability: Floats, policy: PolicySettings) -> list[dict[str, Any]]:
    """Return the table of cut-offs over the scale, including the policy's."""
    scale = policy.scale
    tried = range(scale.lowest + CUTOFF_STEP, scale.highest, CUTOFF_STEP)
    scores = points(probability, scale)
    reached = [cutoff for cutoff in tried if (scores >= cutoff).any()]
    table = cutoff_table(ttd.bad, scores, ttd.amount, policy.economics, reached, policy=policy.approve_from)
    return [asdict(row) for row in table]


def by_group(
    groups: ProtectedGroups, ttd: TtdPopulation, probability: Floats, policy: PolicySettings
) -> list[dict[str, Any]]:
    """Return the fairness measures of each group of each protected attribute and pair of attributes."""
    scores = points(probability, policy.scale)
    decided = Decisions(scores >= policy.approve_from, scores, ttd.bad, probability)
    measured = fairness(groups.labels, decided, minimum_group=policy.fairness.minimum_group)
    return [group.record() for group in measured]


def swaps(ttd: TtdPopulation, ours: Floats, champion: ScoredVersion, policy: PolicySettings) -> dict[str, Any]:
    """Return the swap set of a challenger with the PDs `ours`: who is newly approved and newly declined."""
    theirs = champion.predict(ttd.applications)
    before, after = (points(one, policy.scale) >= policy.approve_from for one in (theirs, ours))
    everyone = swap_set.Applications(ttd.bad, ttd.by_lot, champion_pd=theirs, challenger_pd=ours, amount=ttd.amount)
    result = swap_set.swap_set(
        everyone, before, after, policy.economics, hidden_odds=policy.hidden_odds, confidence=CONFIDENCE
    )
    return result.record()
