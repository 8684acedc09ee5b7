"""The effect on the business: approval rate, PDs and expected loss of a window against its reference."""

from dataclasses import dataclass

from monitoring.windows.references import Reference
from pipelines.policy.pack import PolicySettings
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.score_counts import ScoreCounts
from pipelines.profiles.window_profile import WindowProfile
from pipelines.scoring.scorer import APPROVED


def _product(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first * second


@dataclass(frozen=True)
class Effect:
    """Approval rates, and mean PDs of all and of approved decisions, in the window and in the reference.

    A figure is None where it was not counted. The expected loss is the mean PD of the approved times
    `loss_given_default`, a share of the amount lent.
    """

    approval_rate: float
    reference_approval_rate: float | None
    mean_pd: float | None
    reference_mean_pd: float | None
    approved_mean_pd: float | None
    reference_approved_mean_pd: float | None
    loss_given_default: float | None = None

    @property
    def expected_loss(self) -> float | None:
        """The expected loss per unit lent to the approved, None where it is unknown."""
        return _product(self.approved_mean_pd, self.loss_given_default)

    @property
    def reference_expected_loss(self) -> float | None:
        """The expected loss of the reference."""
        return _product(self.reference_approved_mean_pd, self.loss_given_default)


def effect_of(reference: Reference, current: WindowProfile, policy: PolicySettings | None) -> Effect | None:
    """Return the effect, None without decisions; a development sample is decided by the present policy."""
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
