"""One vintage: the estimate without labels, the early read and the truth, side by side and never added up."""

from dataclasses import dataclass

from monitoring.outcomes.observed import Contradiction, Observed
from monitoring.outcomes.stored_estimates import KeptEstimate
from pipelines.credit.binomial import BandTest
from pipelines.credit.hosmer_lemeshow import HosmerLemeshow
from pipelines.credit.label_free import LabelFree


@dataclass(frozen=True)
class NotApproved:
    """Those whom the policy did not approve. They have no outcomes, but for some approved by a person or by lot.

    `expected_bad_rate` is what their PDs say: inferred, never observed. `with_outcome` and `bad` count the exceptions,
    which are part of no other figure.
    """

    applications: int
    expected_bad_rate: float
    with_outcome: int
    bad: int


@dataclass(frozen=True)
class Reconciled:
    """A kept estimate against the truth.

    `error` is estimate less truth. `error_on_same_loans` is that of the estimator on exactly the loans whose outcome is
    known: what remains when those without one (not taken up, refunded, fraud, still open) are left out on both sides.
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

    `estimate` is the kept one, with what it cannot see in `estimate.estimate.cannot_see`; `recalibrated` and
    `reweighted` are its variants on earlier loans (see `kept_estimates.METHODS`), None where these were not given.
    `early_expected` is what the PDs say of the early outcome, given how it came out in earlier vintages. All figures
    but those in `not_approved` are about the approved. `later_contradiction` is about those of the early read that were
    good by it, in what came after (see `measure_performance`); where too few are known, about those of the vintage
    before.
    """

    period: str
    scored: int
    approved: int
    not_approved: NotApproved | None
    estimate: KeptEstimate | None
    recalibrated: KeptEstimate | None
    reweighted: KeptEstimate | None
    early_expected: LabelFree | None
    early: Observed | None
    early_contradiction: Contradiction | None
    matured: Observed | None
    matured_contradiction: Contradiction | None
    bands: tuple[BandTest, ...]
    hosmer_lemeshow: HosmerLemeshow | None
    reconciled: tuple[Reconciled, ...]
    statement: str
    later_contradiction: Contradiction | None = None
