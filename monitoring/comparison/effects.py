"""How much a window differs from its reference in what the business feels: approval rate and expected loss."""

from monitoring.comparison.references import Reference
from monitoring.period_report import Effect
from pipelines.decision_tally import Tally
from pipelines.policy import PolicySettings
from pipelines.score_counts import ScoreCounts
from pipelines.scoring import APPROVED
from pipelines.window_profile import WindowProfile


def effect_of(reference: Reference, current: WindowProfile, policy: PolicySettings | None) -> Effect | None:
    """Return the effect; a development is decided as the policy would now. None where decisions were not counted."""
    now = current.overall
    if not now.decisions or not now.rows:
        return None
    before = reference.total
    approved_now, approved_before = (_approved(one, policy) for one in (now, before))
    return Effect(
        approval_rate=now.decisions[APPROVED] / now.rows,
        reference_approval_rate=_rate(before, approved_before),
        mean_pd=now.scores.mean_pd,
        reference_mean_pd=before.scores.mean_pd,
        approved_mean_pd=None if approved_now is None else approved_now.mean_pd,
        reference_approved_mean_pd=None if approved_before is None else approved_before.mean_pd,
        loss_given_default=None if policy is None else policy.economics.loss_given_default,
    )


def _approved(tally: Tally, policy: PolicySettings | None) -> ScoreCounts | None:
    return None if policy is None or not len(tally.scores) else tally.scores.reaching(policy.approve_from)


def _rate(tally: Tally, approved: ScoreCounts | None) -> float | None:
    if tally.decisions:
        return tally.decisions[APPROVED] / tally.rows
    return None if approved is None else len(approved) / tally.rows
