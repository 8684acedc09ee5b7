"""The figures of a report that the dashboard of the Evidently workspace shows from period to period."""

from collections.abc import Iterator
from dataclasses import dataclass

from monitoring.verdict.period_report import PeriodReport, Verdict

VERDICTS = {Verdict.STABLE: 0, Verdict.WATCH: 1, Verdict.ACT: 2, Verdict.INCOMPLETE: -1, Verdict.INCONCLUSIVE: -1}

VERDICT, FAULTS = "Verdict", "Data faults"
APPROVALS, EXPECTED_LOSS = "Approval rate", "Expected loss"
EARLY_READ, OUTCOMES = OF_OUTCOMES = ("Bad rate: early read", "Bad rate: matured outcomes")

PANELS = {
    VERDICT: "0 stable, 1 watch, 2 act; -1 incomplete or inconclusive",
    FAULTS: "their number in the period",
    APPROVALS: "approved share of decisions",
    EXPECTED_LOSS: "per unit lent to the approved",
    EARLY_READ: "of the newest vintage that has one; empty until outcomes are given",
    OUTCOMES: "of the newest vintage that has them; empty until outcomes are given",
}
"""The panels in their order, each with its subtitle; those of the PSI come before the two of outcomes."""


@dataclass(frozen=True)
class PeriodFigure:
    """One figure of a report: a point of a `series` in a `panel`."""

    panel: str
    series: str
    value: float


def figures_of(report: PeriodReport) -> list[PeriodFigure]:
    """Return the figures of a report; one that is unknown is left out."""
    return [
        PeriodFigure(VERDICT, "verdict", VERDICTS[report.verdict]),
        PeriodFigure(FAULTS, "faults", len(report.faults)),
        *_effect(report),
        *_outcomes(report),
    ]


def _effect(report: PeriodReport) -> Iterator[PeriodFigure]:
    effect = report.effect
    if effect is None:
        return
    figures = {
        APPROVALS: (effect.approval_rate, effect.reference_approval_rate),
        EXPECTED_LOSS: (effect.expected_loss, effect.reference_expected_loss),
    }
    for panel, values in figures.items():
        for series, value in zip(("window", "reference"), values, strict=True):
            if value is not None:
                yield PeriodFigure(panel, series, value)


def _outcomes(report: PeriodReport) -> Iterator[PeriodFigure]:
    vintages = () if report.performance is None else report.performance.vintages
    early = [(one.early, one.early_expected) for one in vintages if one.early is not None]
    for observed, expected in early[-1:]:
        yield PeriodFigure(EARLY_READ, "observed", observed.bad_rate.value)
        if expected is not None:
            yield PeriodFigure(EARLY_READ, "expected", expected.bad_rate.value)
    matured = [(one.matured, one.recalibrated or one.estimate) for one in vintages if one.matured is not None]
    for observed, estimate in matured[-1:]:
        yield PeriodFigure(OUTCOMES, "observed", observed.bad_rate.value)
        if estimate is not None:
            yield PeriodFigure(OUTCOMES, "estimated before", estimate.estimate.bad_rate.value)
