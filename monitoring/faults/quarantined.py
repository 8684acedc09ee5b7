"""Rows that were set aside on their way in: more of them, or repeated ones."""

from collections.abc import Sequence

import numpy as np

from monitoring.faults.column import errors_apart, odds_ratio
from monitoring.faults.fault import Fault, FaultKind
from monitoring.faults.limits import FaultLimits
from monitoring.faults.observed import Intake


def quarantine_risen(intake: Intake, earlier: Sequence[Intake], limits: FaultLimits) -> list[Fault]:
    """Return a fault where more rows broke rules than in any period before, and one where more ids were repeated."""
    repeats = {rule for one in (intake, *earlier) for rule in one.quarantined if "repeat" in rule}
    others = {rule for one in (intake, *earlier) for rule in one.quarantined} - repeats
    found = []
    if _has_risen(intake, earlier, repeats, limits):
        found.append(_repeated(intake, earlier, repeats))
    if _has_risen(intake, earlier, others, limits):
        found.append(_risen(intake, earlier, others))
    return found


def _part(intake: Intake, rules: set[str]) -> float:
    return sum(intake.quarantined.get(rule, 0) for rule in rules) / max(intake.rows, 1)


def _before(earlier: Sequence[Intake], rules: set[str]) -> float:
    return max((_part(one, rules) for one in earlier), default=0.0)


def _has_risen(intake: Intake, earlier: Sequence[Intake], rules: set[str], limits: FaultLimits) -> bool:
    now, known = _part(intake, rules), _before(earlier, rules)
    rise = limits.quarantined if earlier else limits.quarantined_at_first
    if intake.rows < limits.rows or now - known < rise or odds_ratio(now, known) < limits.odds:
        return False
    known_rows = sum(one.rows for one in earlier) or intake.rows
    return errors_apart(now * intake.rows, intake.rows, known * known_rows, known_rows) >= limits.errors


def _seen(intake: Intake, earlier: Sequence[Intake], rules: set[str]) -> str:
    now, known = _part(intake, rules), _before(earlier, rules)
    before = f"before it was at most {known:.1%}" if earlier else "there is no earlier period"
    return f"{now:.1%} of {intake.rows:,} rows read ({before})"


def _repeated(intake: Intake, earlier: Sequence[Intake], rules: set[str]) -> Fault:
    return Fault(
        FaultKind.DUPLICATES,
        None,
        f"Ids were delivered more than once in {_seen(intake, earlier, rules)}.",
        "A delivery was loaded twice or its parts overlap.",
        "Load each delivery once and score the quarantined rows again.",
    )


def _risen(intake: Intake, earlier: Sequence[Intake], rules: set[str]) -> Fault:
    worst = max(
        rules, key=lambda rule: _part(intake, {rule}) - float(np.mean([_part(one, {rule}) for one in earlier] or [0]))
    )
    return Fault(
        FaultKind.QUARANTINE_RISEN,
        None,
        f"Rows were quarantined in {_seen(intake, earlier, rules)}, most under the rule '{worst}' "
        f"({intake.quarantined[worst]:,} rows).",
        "The source changed its format or lost a check of its own.",
        "Read the quarantine, which names the rule that each row broke, repair the source and score those rows; who is "
        "left out is not in any figure of this report.",
    )
