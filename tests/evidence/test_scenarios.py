"""Simulated: what happens to a marketplace is seen by the monthly report, and called by its name, in time."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from monitoring.verdict.causes import CONCEPT_CHANGE, DATA_FAULT, FRAUD, LEVEL_SHIFT, MIX_SHIFT
from monitoring.verdict.period_report import PeriodReport, Verdict
from pipelines.features.settings import FeatureSettings, What
from pipelines.simulation.settings import DataFaultSettings, Fault, Scenario
from tests.evidence.conftest import Evidence
from tests.evidence.watched_markets import CHANGED, Size, Watched, month_of, watched_after, watched_before

pytestmark = pytest.mark.integration  # simulates markets and fits many models

CUSTOMERS, MONTHLY, ENOUGH = 350_000, 10_000, 0.95
"""So many customers give about 10,000 applications in a month; the one of the change has at least 95% of them."""

FEATURES = FeatureSettings(
    what=[
        What.frequency,
        What.amount,
        What.recency,
        What.tenure,
        What.returns,
        What.discounts,
        What.payment_methods,
        What.instalments,
        What.application,
    ],
    windows=[30, 180],
    payment_methods=["card", "wallet", "bank_transfer", "cash_on_delivery"],
)
"""Those of conf/features/short.yaml."""

EARLY = "dpd30_at_3_mob"
OUTCOMES_SAY = {FRAUD, LEVEL_SHIFT, CONCEPT_CHANGE}


@dataclass(frozen=True)
class Case:
    """A scenario at its default size, and what has to be said of it in months `first` to `last` from its begin on.

    `blind` are the months before any outcome of what is due after the change is known.
    """

    scenario: Scenario
    named: str
    last: int
    first: int = 1
    early: str = EARLY
    blind: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    is_quick: bool = False


CASES = {
    "payment_method_missing": Case(Scenario.data_fault, DATA_FAULT, 1, is_quick=True),
    "amount_in_major_units": Case(
        Scenario.data_fault,
        DATA_FAULT,
        1,
        settings={"data_fault": DataFaultSettings(faults=[Fault.amount_in_major_units])},
    ),
    "mix_shift": Case(Scenario.mix_shift, MIX_SHIFT, 2),
    # the first payments of the month that rings begin in are known, three months on book, when the fourth is over
    "fraud_ring": Case(Scenario.fraud_ring, FRAUD, 5, first=4, early="first_payment_default", blind=3),
    "economic_shock": Case(Scenario.economic_shock, LEVEL_SHIFT, 5, blind=1),
    "concept_change": Case(Scenario.concept_change, CONCEPT_CHANGE, 5, blind=1),
}


@dataclass
class Markets:
    """The marketplace before the change, and the one in which nothing happens; its reports are made once."""

    before: Watched
    none: Watched
    size: Size
    made: dict[tuple[int, str], PeriodReport] = field(default_factory=dict)

    def quiet(self, month: int, early: str) -> PeriodReport:
        """Return the report of a month in which nothing happened."""
        if (month, early) not in self.made:
            self.made[month, early] = self.none.report(month, early=early)
        return self.made[month, early]


@pytest.fixture(scope="module")
def markets(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Markets]:
    is_full = bool(request.config.getoption("--full"))
    folder = tmp_path_factory.mktemp("markets")
    size = Size(CUSTOMERS if is_full else 3_000, FEATURES)
    before = watched_before(folder / "before", size)
    none = watched_after(before, folder / "none", size, max(one.last for one in CASES.values()) if is_full else 1)
    yield Markets(before, none, size)
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", CASES)
def test_a_scenario_is_named_in_time(name: str, evidence: Evidence, markets: Markets, tmp_path: Path) -> None:
    case = CASES[name]
    if not (evidence.full or case.is_quick):
        pytest.skip("what happens to ten thousand applications a month is simulated at full size alone")
    folder, months = tmp_path / name, range(1, case.last + 1)
    scenario = {"scenarios": [case.scenario], "from_month": CHANGED, **case.settings}
    market = watched_after(markets.before, folder, markets.size, case.last, **scenario)
    said = [market.report(month, early=case.early) for month in months]
    quiet = [markets.quiet(month, case.early) for month in months]
    shutil.rmtree(folder)
    found = [month for month, one in zip(months, said, strict=True) if case.named in one.causes]
    others = {cause for one in said for cause in one.causes} & OUTCOMES_SAY - {case.named}
    blind = {cause for one in said[: case.blind] for cause in one.causes} & OUTCOMES_SAY
    acted = [one.key.period for one in quiet if one.verdict is Verdict.ACT]
    enough = quiet[0].rows >= (ENOUGH * MONTHLY if evidence.full else 0)
    holds = bool(found) and not others and not blind and not acted and enough
    evidence.record(
        f"58-scenarios-{name}",
        claim=f"simulated: {name.replace('_', ' ')} at its default size from {month_of(1)} on, about {MONTHLY:,} "
        f"applications a month: the report says '{case.named}' in time, nothing else that only outcomes tell, and none "
        f"of that before they are known (early read: {case.early})",
        value=f"said in month {found[0] - case.first + 1 if found else '-'}; {_told(said)}; with nothing happening "
        f"{_told(quiet)} ({quiet[0].rows:,} applications in {month_of(1)})",
        bound=f"by month {case.last - case.first + 1}{f', counted from {month_of(case.first)}' * (case.first > 1)}; "
        "with nothing happening no act in the same months",
        holds=holds,
    )
    assert found
    assert not blind
    assert not [fault for one in quiet for fault in one.faults]
    assert holds or not evidence.full


def _told(reports: list[PeriodReport]) -> str:
    """Return what the reports of some months said, month by month."""
    return ", ".join(
        f"{one.key.period} {one.verdict.value} ({' and '.join(one.causes) or 'nothing'})" for one in reports
    )
