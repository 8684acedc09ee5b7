"""One vintage: the estimate without labels, the early read and the matured outcomes, kept apart."""

from dataclasses import dataclass

from monitoring.outcomes.contradictions import Contradiction
from monitoring.outcomes.observed import Observed
from monitoring.outcomes.stored_estimates import StoredEstimate
from pipelines.credit.binomial import BandTest
from pipelines.credit.hosmer_lemeshow import HosmerLemeshow
from pipelines.credit.label_free import LabelFree

KINDS = ("fraud_contradiction", "first_payment_contradiction", "early_contradiction", "matured_contradiction")
"""What may contradict the model, as fields of a vintage."""


@dataclass(frozen=True)
class NotApproved:
    """Applications that the policy did not approve: without outcomes, except some approved by a person or at random.

    `expected_bad_rate` is the mean of their PDs: inferred, never observed. `with_outcome` and `bad` count the
    exceptions, which are in no figure of the approved.
    """

    applications: int
    expected_bad_rate: float
    with_outcome: int
    bad: int


@dataclass(frozen=True)
class Reconciled:
    """A stored estimate against the matured outcomes (`truth`).

    `error` is the estimate less the truth. `error_on_same_loans` is the error of an estimate on exactly the loans with
    an outcome, without those that are not taken up, refunded, fraudulent or still open.
    """

    method: str
    measure: str
    estimated: float
    low: float
    high: float
    truth: float
    error: float
    is_inside: bool
    error_on_same_loans: float
    is_foresight: bool


@dataclass(frozen=True)
class VintagePerformance:
    """The performance of the decisions of a period, as far as it is known.

    `estimate` is the stored one, with its blind spots in `estimate.estimate.cannot_see`; `recalibrated` and
    `reweighted` are its variants on earlier loans (see `stored_estimates.METHODS`), None without such loans.
    `early_expected` is the early outcome that the PDs predict, given that of earlier vintages. All figures but those in
    `not_approved` are about the approved. Where a table has outcomes of others too, `everyone` has the figures of all
    with an outcome, which are then compared with the PDs, overall and by band. `first_payment_contradiction` is about
    the first payments, and `fraud_contradiction` about those that fail beyond what later payments of the same loans
    explain.
    """

    period: str
    scored: int
    approved: int
    not_approved: NotApproved | None
    estimate: StoredEstimate | None
    recalibrated: StoredEstimate | None
    reweighted: StoredEstimate | None
    early_expected: LabelFree | None
    early: Observed | None
    early_contradiction: Contradiction | None
    matured: Observed | None
    matured_contradiction: Contradiction | None
    bands: tuple[BandTest, ...]
    hosmer_lemeshow: HosmerLemeshow | None
    reconciled: tuple[Reconciled, ...]
    statement: str
    first_payment_contradiction: Contradiction | None = None
    fraud_contradiction: Contradiction | None = None
    everyone: Observed | None = None

    @property
    def contradictions(self) -> tuple[Contradiction | None, ...]:
        """How its outcomes of each kind compare with those of earlier vintages, None where they are too few."""
        return tuple(getattr(self, kind) for kind in KINDS)
