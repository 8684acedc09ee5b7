"""The rules for a row: those of its contract, of its types and of its references to other tables."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.engine.duckdb_engine import sql_text
from pipelines.marketplace.conversion import empty
from pipelines.marketplace.readings import ColumnSql, noun
from pipelines.marketplace.tables import Column, Rule, TableContract
from pipelines.reading.times import FIRST_YEAR, LAST_YEAR

RULE = "broken_rule"
"""The column of the quarantine with the rule that a row breaks."""

NO_ZONE = "has no time zone"
OUT_OF_RANGE = f"not between the years {FIRST_YEAR} and {LAST_YEAR}"


@dataclass(frozen=True)
class Check:
    """A rule: the `sentence` that describes a broken row, SQL that is true of such a row, and the column at fault.

    A check that `stops` finds unreadable values: when every value is unreadable, the column is the wrong one.
    """

    sentence: str
    broken: str
    column: str
    stops: bool = False


UNKNOWN_CUSTOMER = Check(
    "customer_id is not in the clean customers",
    "customer_id not in (select customer_id from known_customers)",
    "customer_id",
)
UNKNOWN_APPLICATION = Check("application_id is not in the clean applications", "loan_id is null", "application_id")
NO_INSTALMENTS = Check(
    "application was disbursed and has no instalments",
    "application_id in (from loans_without_instalments)",
    "application_id",
)
BROKEN_LOAN = Check(
    "an instalment of the application is in quarantine", "application_id in (from broken_loans)", "application_id"
)
BROKEN_SCHEDULE = Check(
    "the application or another of its instalments is in quarantine",
    "application_id in (select application_id from quarantined_applications)",
    "application_id",
)


def own_checks(contract: TableContract, readings: Mapping[str, ColumnSql], decimals: int) -> list[Check]:
    """Return the rules on a single row in order of precedence: readable values first, then the contract's rules."""
    values = [
        check
        for column in contract.columns
        if column.name in readings
        for check in _value_checks(column, readings, decimals)
    ]
    rules = [Check(rule.sentence, _broken(rule, readings), _blamed(rule, readings)) for rule in contract.rules]
    return values + rules


def paid_too_early(readings: Mapping[str, ColumnSql]) -> Check:
    """Return the rule that instalments are not paid before the application of their loan."""
    return Check("paid_at is before applied_at", _is_before("paid_at", "loan_applied_at", readings), "paid_at")


def repeated_key(contract: TableContract) -> Check:
    """Return the rule that keys are unique; every row of a repeated key breaks it."""
    sentence = f"{' and '.join(contract.key)} repeat{'s' if len(contract.key) == 1 else ''}"
    return Check(sentence, f"({', '.join(contract.key)}) in (from repeated_{contract.name})", contract.key[-1])


def first_broken(checks: Sequence[Check]) -> str:
    """Return SQL for the sentence of the first rule that a row breaks; missing where it breaks none."""
    cases = " ".join(f"when {check.broken} then {sql_text(check.sentence)}" for check in checks)
    return f"case {cases} end"


def _value_checks(column: Column, readings: Mapping[str, ColumnSql], decimals: int) -> list[Check]:
    name, reading = column.name, readings[column.name]
    checks = [
        (f"{name} is missing", None if column.nullable else empty(column, readings), False),
        (f"{name} is infinite", reading.infinite, False),
        (f"{name} {NO_ZONE}", reading.zoneless, True),
        (f"{name} is not {noun(column.kind, decimals)}", reading.unreadable, True),
        (f"{name} is {OUT_OF_RANGE}", reading.out_of_range, True),
    ]
    return [Check(sentence, broken, name, stops) for sentence, broken, stops in checks if broken is not None]


def _broken(rule: Rule, readings: Mapping[str, ColumnSql]) -> str:
    if rule.order is None:
        return f"({rule.holds}) is false"
    earlier, later = rule.order
    return _is_before(later, earlier, readings)


def _is_before(later: str, earlier: str, readings: Mapping[str, ColumnSql]) -> str:
    """Return SQL that is true where `later` is before `earlier`; a date alone is so only where its whole day is."""
    reading = readings.get(later)
    if reading is None or reading.is_day is None:
        return f"{later} < {earlier}"
    return f"case when {reading.is_day} then {later} + interval 1 day <= {earlier} else {later} < {earlier} end"


def _blamed(rule: Rule, readings: Mapping[str, ColumnSql]) -> str:
    words = re.findall(r"\w+", f"{rule.sentence} {rule.holds}")
    return next((word for word in words if word in readings), next(iter(readings)))
