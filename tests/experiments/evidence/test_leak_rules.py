"""Rules against leaks: each kind is named over several seeds, and features known at the application are not."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments.evidence.leak_rules import TIME_CHECKS, find_leaks
from experiments.promotion.gates.gate import GateResult
from experiments.promotion.gates.judgement import judge
from pipelines.applications.applications import Applications
from pipelines.applications.roles import Roles
from pipelines.policy.pack import PolicySettings
from tests.experiments.promotion.test_gates import changed

ROWS = 3000
START = np.datetime64("2024-01-01", "us")
DAY = np.timedelta64(1, "D")


def history(seed: int) -> tuple[np.random.Generator, Any, Any]:
    """Return applications of two years in the order of time, with outcomes."""
    generator = np.random.default_rng(seed)
    times = START + np.sort(generator.integers(0, 730, ROWS)) * DAY
    return generator, times, generator.binomial(1, 0.15, ROWS).astype(np.int8)


def applications(features: dict[str, Any], bad: Any, times: Any, later_dates: dict[str, int] | None = None) -> Any:
    table = pd.DataFrame(features)
    numeric = tuple(str(name) for name in table.select_dtypes("number"))
    categorical = tuple(str(name) for name in table if name not in numeric)
    return Applications(
        features=table,
        ids=np.arange(len(table)).astype(str),
        times=times,
        bad=bad,
        protected=pd.DataFrame(index=range(len(table))),
        roles=Roles(id="id", time="t", label="bad", bad="1", protected=(), numeric=numeric, categorical=categorical),
        fingerprint="f",
        quarantined={},
        later_dates=later_dates or {},
    )


def reasons(everyone: Applications) -> dict[str, list[str]]:
    development, test = everyone.take(np.arange(2000)), everyone.take(np.arange(2000, ROWS))
    return dict(find_leaks(development, test, list(everyone.features), 0.9).reasons)


@pytest.mark.parametrize("seed", range(6))
def test_what_a_lender_knows_at_the_application_is_no_leak(seed: int) -> None:
    generator, times, bad = history(seed)
    age = (times - START) / DAY
    honest = {
        "income": generator.lognormal(8, 0.5, ROWS) * np.where(bad, 0.7, 1.0),
        "earlier_loans": generator.poisson(2, ROWS) + 0.0,
        "delinquencies": generator.poisson(np.where(bad, 0.8, 0.1)) + 0.0,
        "orders": generator.poisson(1 + age / 200) + 0.0,  # the shop is young: later customers have more history
        "bureau_score": np.where(generator.random(ROWS) < 0.4, np.nan, generator.normal(600 - 60.0 * bad, 50)),
        "new_since_march": np.where(age < 400, np.nan, generator.normal(size=ROWS)),
        "channel": generator.choice(["web", "app"], ROWS),
        "employer": generator.choice([f"E{number}" for number in range(300)], ROWS),
        "year_of_birth": generator.integers(1950, 2005, ROWS) + 0.0,
        "last_payment": generator.lognormal(5, 1, ROWS),  # by its name alone nothing is a leak
        "member_since": np.datetime_as_string(times - generator.integers(5, 900, ROWS) * DAY, unit="D"),
    }
    assert reasons(applications(honest, bad, times)) == {}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("closing_balance", "present for goods only"),
        ("default_amount", "missing for goods only"),
        ("calls", "0 for goods only"),
        ("payments_so_far", "a count that falls with recency"),
        ("late_file", "missing in 100% of the latest applications"),
        ("closed_on", "dates after the application"),
        ("closed_number", "dates after the application"),
    ],
)
def test_each_kind_of_leak_is_named(seed: int, name: str, reason: str) -> None:
    generator, times, bad = history(seed)
    age = (times - START) / DAY
    closed = times + generator.integers(30, 300, ROWS) * DAY
    # each is known after the outcome, but for some: alone none exceeds the limit of the AUC
    is_known = generator.random(ROWS) < 0.6
    leaks = {
        "closing_balance": np.where((bad == 0) & is_known, generator.normal(size=ROWS), np.nan),
        "default_amount": np.where((bad == 1) | (is_known & False), 1.0, np.nan) * generator.normal(size=ROWS),
        "calls": np.where(bad == 1, generator.integers(1, 5, ROWS), np.where(is_known, 0, 2)) + 0.0,
        "payments_so_far": generator.poisson((740 - age) / 60) + 0.0,
        "late_file": np.where(age > 600, np.nan, generator.normal(size=ROWS)),
        "closed_on": np.datetime_as_string(closed, unit="D"),
        "closed_number": np.char.replace(np.datetime_as_string(closed, unit="D"), "-", "").astype(float),
    }
    plain = {"plain": generator.normal(size=ROWS)}
    found = reasons(applications(plain | {name: leaks[name]}, bad, times))
    assert list(found) == [name]
    assert any(reason in one for one in found[name]), found


def test_later_dates_beside_them_make_named_events_suspicious() -> None:
    generator, times, bad = history(1)
    columns = {"income": generator.normal(size=ROWS), "lastPaybackAmount": generator.normal(size=ROWS)}
    found = reasons(applications(columns, bad, times, {"paid_on": ROWS, "typo_at": 3}))
    assert found == {
        "lastPaybackAmount": ["named as a later event, and paid_on has dates after the application"],
        "paid_on": [f"dates after the application in {ROWS:,} rows"],
    }


def test_without_times_the_checks_of_time_are_named_as_not_done() -> None:
    generator, _, bad = history(2)
    everyone = applications({"x": generator.normal(size=ROWS)}, bad, None)
    findings = find_leaks(everyone.take(np.arange(2000)), everyone.take(np.arange(2000, ROWS)), ["x"], 0.9)
    assert set(TIME_CHECKS) <= set(findings.unchecked)
    assert not set(TIME_CHECKS) & set(findings.checked)


def leak_gate(leak: dict[str, Any]) -> GateResult:
    record = {
        "kind": "single_feature",
        "telling": {},
        "waived": [],
        "checked": ["dates"],
        "unchecked": ["pairs"],
    } | leak
    return next(gate for gate in judge(changed(leak=record), PolicySettings()) if gate.gate == "no leak")


def test_the_gate_says_what_was_checked_and_what_was_not() -> None:
    passed = leak_gate({"findings": {}})
    assert passed.passed
    assert "checked: dates. Not checked: pairs" in passed.sentence
    failed = leak_gate({"findings": {"paid_on": ["dates after the application in 9 rows"]}, "waived": ["due_on"]})
    assert not failed.passed
    assert failed.blocking
    assert "paid_on (dates after the application in 9 rows) (waived: due_on)" in failed.sentence
    assert "Checked: dates. Not checked: pairs" in failed.sentence
