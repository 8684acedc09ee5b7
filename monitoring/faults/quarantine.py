"""Rows that were quarantined on their way in: more of them, or repeated ids."""

from collections.abc import Iterator, Sequence

import numpy as np

from monitoring.faults.column import errors_apart, odds_ratio
from monitoring.faults.duplicates import DUPLICATES
from monitoring.faults.fault import Fault, window_finder
from monitoring.faults.limits import FaultLimits
from monitoring.faults.observed import Intake, Observed

QUARANTINE_RISEN = "more rows quarantined"


def quarantine_risen(window: Observed, earlier: Sequence[Observed], limits: FaultLimits) -> Iterator[Fault]:
    """Yield a fault where more ids are repeated than in any period before, and one where more rows broke rules."""
    if window.intake is None:
        return
    intake, before = window.intake, [one.intake for one in earlier if one.intake is not None]
    rules = {rule for one in (intake, *before) for rule in one.quarantined}
    repeats = {rule for rule in rules if "repeat" in rule}
    if _has_risen(intake, before, repeats, limits):
        yield _repeated(intake, before, repeats)
    if _has_risen(intake, before, rules - repeats, limits):
        yield _risen(intake, before, rules - repeats)


def _share(intake: Intake, rules: set[str]) -> float:
    return sum(intake.quarantined.get(rule, 0) for rule in rules) / max(intake.rows, 1)


def _highest(earlier: Sequence[Intake], rules: set[str]) -> float:
    return max((_share(one, rules) for one in earlier), default=0.0)


def _has_risen(intake: Intake, earlier: Sequence[Intake], rules: set[str], limits: FaultLimits) -> bool:
    now, before = _share(intake, rules), _highest(earlier, rules)
    rise = limits.quarantined if earlier else limits.quarantined_at_first
    if intake.rows < limits.rows or now - before < rise or odds_ratio(now, before) < limits.odds:
        return False
    rows_before = sum(one.rows for one in earlier) or intake.rows
    return errors_apart(now * intake.rows, intake.rows, before * rows_before, rows_before) >= limits.errors


def _extent(intake: Intake, earlier: Sequence[Intake], rules: set[str]) -> str:
    before = f"at most {_highest(earlier, rules):.1%} before" if earlier else "there is no earlier period"
    return f"{_share(intake, rules):.1%} of {intake.rows:,} rows read ({before})"


def _repeated(intake: Intake, earlier: Sequence[Intake], rules: set[str]) -> Fault:
    return Fault(
        DUPLICATES,
        None,
        f"Ids were delivered more than once in {_extent(intake, earlier, rules)}.",
        "A delivery was loaded twice, or its parts overlap.",
        "Load each delivery once and score the quarantined rows again.",
    )


def _risen(intake: Intake, earlier: Sequence[Intake], rules: set[str]) -> Fault:
    def rise(rule: str) -> float:
        return _share(intake, {rule}) - float(np.mean([_share(one, {rule}) for one in earlier] or [0]))

    worst = max(rules, key=rise)
    return Fault(
        QUARANTINE_RISEN,
        None,
        f"Rows were quarantined in {_extent(intake, earlier, rules)}, most by the rule '{worst}' "
        f"({intake.quarantined[worst]:,} rows).",
        "The source changed its format or dropped one of its own checks.",
        "Read the quarantine, which names the broken rule of each row, repair the source and score those rows. "
        "Quarantined applicants are in no figure of this report.",
    )


FINDER = window_finder(QUARANTINE_RISEN, quarantine_risen, rank=90)
