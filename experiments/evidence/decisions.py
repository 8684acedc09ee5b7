"""What a model would decide at the policy's cut-off on all who asked: what it pays, whom it swaps or leaves out."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.evidence.evaluation_set import EvaluationSet, ScoredVersion, amounts_of
from pipelines.applications.applications import Applications
from pipelines.applications.contract import as_text
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
"""The outcome of an application that has none."""

CONFIDENCE = 0.95

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class TtdPopulation:
    """All who asked in the test's time, shape (n,): `bad` is -1 without an outcome, `by_lot` is who was approved so.

    `ever` are all who asked at any time, with what an earlier policy decided; None where nobody tells.
    """

    applications: Applications
    bad: NDArray[np.int8]
    by_lot: Flags
    amount: Floats
    ever: Applications | None = None


def ttd_population_of(evaluation_set: EvaluationSet, workspace: Workspace) -> TtdPopulation:
    """Return all who asked in the test's time, with the outcomes of the test part; the test part itself elsewhere."""
    test = evaluation_set.test
    everyone = decided_ttd_population(evaluation_set.data, workspace, test.roles)
    if everyone is None or test.times is None:
        return TtdPopulation(test, test.outcomes, np.zeros(len(test), bool), amounts_of(test, evaluation_set.data))
    then = everyone.during(test.times.min(), test.times.max())
    outcome = dict(zip(test.ids.tolist(), test.outcomes.tolist(), strict=True))
    bad = np.array([outcome.get(one, UNKNOWN) for one in then.ids.tolist()], np.int8)
    by_lot = np.zeros(len(then), bool) if then.by_lot is None else then.by_lot
    return TtdPopulation(then, bad, by_lot, amounts_of(then, evaluation_set.data), everyone)


def cutoffs(ttd: TtdPopulation, probability: Floats, policy: PolicySettings) -> list[dict[str, Any]]:
    """Return the table of cut-offs over the scale, the policy's own among them."""
    scale = policy.scale
    tried = range(scale.lowest + CUTOFF_STEP, scale.highest, CUTOFF_STEP)
    whole = points(probability, scale)
    reached = [one for one in tried if (whole >= one).any()]
    table = cutoff_table(ttd.bad, whole, ttd.amount, policy.economics, reached, policy=policy.approve_from)
    return [asdict(row) for row in table]


def by_group(ttd: TtdPopulation, probability: Floats, policy: PolicySettings) -> list[dict[str, Any]]:
    """Return how the groups of each protected attribute, and of each pair of them, fare at the cut-off."""
    protected = ttd.applications.protected
    labels = {str(name): as_text(protected[name]).fillna("not told").to_numpy(str) for name in protected}
    whole = points(probability, policy.scale)
    decided = Decisions(whole >= policy.approve_from, whole, ttd.bad, probability)
    return [one.record() for one in fairness(labels, decided, minimum_group=policy.fairness.minimum_group)]


def swaps(ttd: TtdPopulation, ours: Floats, champion: ScoredVersion, policy: PolicySettings) -> dict[str, Any]:
    """Return who is newly approved and newly declined when the challenger, whose PDs are `ours`, decides."""
    theirs = champion.predict(ttd.applications)
    before, after = (points(one, policy.scale) >= policy.approve_from for one in (theirs, ours))
    everyone = swap_set.Applications(ttd.bad, ttd.by_lot, champion_pd=theirs, challenger_pd=ours, amount=ttd.amount)
    found = swap_set.swap_set(
        everyone, before, after, policy.economics, hidden_odds=policy.hidden_odds, confidence=CONFIDENCE
    )
    return found.record()
