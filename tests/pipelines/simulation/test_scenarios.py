"""Scenarios do what they say from their month on, and leave what was before as it was."""

from pathlib import Path

import pytest
from scipy.special import logit
from sklearn.metrics import roc_auc_score

from pipelines.simulation.settings import DataFaultSettings, Fault, Scenario
from tests.pipelines.simulation.lakes import Lake, labelled, make_lake

FROM = "2024-07"
START = "timestamp '2024-07-01'"
SIZE = {"customers": 6_000, "customers_per_part": 3_000}
OLD = "customer_id <= 6000"
PD = "true_pd_dpd90_in_12_months"


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return make_lake(tmp_path_factory.mktemp("quiet"), **SIZE)


def shifted(folder: Path, *names: str, **settings: object) -> Lake:
    return make_lake(folder, **SIZE, scenarios=[Scenario[name] for name in names], from_month=FROM, **settings)


def same(one: Lake, other: Lake, sql: str) -> bool:
    return bool(one.table(sql).equals(other.table(sql)))


def test_an_economic_shock_raises_what_is_due_from_its_month_on_and_nothing_else(quiet: Lake, tmp_path: Path) -> None:
    shock = shifted(tmp_path, "economic_shock")
    for table in ("customers", "orders"):
        assert same(quiet, shock, f"select * from {table} order by 1")
    decided = "application_id, applied_at, principal, term, decision, decision_score, disbursed_at"
    assert same(quiet, shock, f"select {decided} from applications order by all")
    truth = (
        f"select application_id, {PD}, true_pd_first_payment_default as fpd, applied_at < {{}} as early "
        "from truth join applications using (application_id) order by 1"
    )
    window = truth.format(f"{START} - interval 13 month")
    before, after = quiet.ask(window), shock.ask(window)
    early = before["early"]
    assert early.sum() > 500
    assert (before[early] == after[early]).all(axis=None)
    assert (after[PD] >= before[PD]).all()
    late = ~shock.ask(truth.format(START))["early"]
    raised = (logit(after["fpd"]) - logit(before["fpd"]))[late]
    assert raised.min() > 0.5
    assert raised.max() < 0.9  # the size is 0.8 for each way to be late


def test_a_data_fault_changes_what_is_seen_and_nothing_that_is(quiet: Lake, tmp_path: Path) -> None:
    faults = DataFaultSettings(faults=[Fault.payment_method_missing, Fault.amount_in_major_units])
    fault = shifted(tmp_path, "data_fault", data_fault=faults)
    for table in ("customers", "applications", "instalments", "truth"):
        assert same(quiet, fault, f"select * from {table} order by all")
    hit = ("amount", "payment_method")
    rest = f"select * exclude ({', '.join(hit)}) from orders order by order_id"
    assert same(quiet, fault, rest)
    for column in hit:
        assert same(quiet, fault, f"select {column} from orders where ordered_at < {START} order by order_id")
    assert fault.one(f"select count(payment_method) from orders where ordered_at >= {START}") == 0
    amounts = f"select amount from orders where ordered_at >= {START} order by order_id"
    assert (fault.ask(amounts)["amount"] == quiet.ask(amounts)["amount"] // 100).all()


def test_half_a_data_fault_hits_half_of_the_orders(tmp_path: Path) -> None:
    fault = shifted(tmp_path, "data_fault", data_fault=DataFaultSettings(size=0.5))
    missing = fault.one(f"select avg((payment_method is null)::int) from orders where ordered_at >= {START}")
    assert 0.48 < missing < 0.52


def test_a_mix_shift_adds_younger_shoppers_and_a_new_channel(quiet: Lake, tmp_path: Path) -> None:
    shift = shifted(tmp_path, "mix_shift")
    assert same(quiet, shift, f"select * from orders where {OLD} and ordered_at < {START} order by order_id")
    assert same(quiet, shift, f"select * exclude (channel) from orders where {OLD} order by order_id")
    assert same(quiet, shift, f"select * from customers where {OLD} order by 1")
    added = f"from customers where not {OLD}"
    assert shift.one(f"select count(*) {added}") == 1_800
    assert shift.one(f"select min(registered_at) >= {START} {added}")
    assert shift.one(f"select avg(birth_year) {added}") > quiet.one("select avg(birth_year) from customers") + 4
    live = "select avg((channel = 'live')::int) from orders where ordered_at"
    assert shift.one(f"{live} < {START}") == 0
    assert shift.one(f"{live} >= {START}") > 0.2


def test_a_concept_change_ends_what_an_old_ranking_knew(quiet: Lake, tmp_path: Path) -> None:
    change = shifted(tmp_path, "concept_change")
    old = quiet.ask(f"select application_id, {PD} as old from truth")

    def auc(lake: Lake, after: bool) -> float:
        loans = labelled(lake, "first_payment_default", "2026-01-01").merge(old, on="application_id")
        applied = lake.ask(f"select application_id, applied_at >= {START} as later from applications")
        loans = loans.merge(applied, on="application_id")
        loans = loans[loans["later"] == after]
        return float(roc_auc_score(loans["bad"], loans["old"]))

    assert auc(quiet, after=True) > 0.68
    assert auc(change, after=False) == pytest.approx(auc(quiet, after=False), abs=0.03)
    assert auc(change, after=True) < auc(quiet, after=True) - 0.08


def test_rings_of_fraudsters_apply_together_and_do_not_pay(quiet: Lake, tmp_path: Path) -> None:
    ring = shifted(tmp_path, "fraud_ring")
    assert ring.one("select count(*) from customers") == 6_060
    assert same(quiet, ring, f"select * from applications where {OLD} order by application_id")
    strikes = "applications join truth using (application_id) where latent_is_fraudster"
    assert ring.one(f"select min(applied_at) >= {START} from {strikes}")
    assert ring.one(f"select count(distinct customer_id) from {strikes}") == 60
    # Twenty to a ring: most strike within hours of the one before.
    struck = f"select arg_max(applied_at, principal) as struck from {strikes} group by customer_id"
    gaps = ring.ask(f"select epoch(struck - lag(struck) over (order by struck)) / 3600 as hours from ({struck})")
    assert (gaps["hours"].dropna() < 6).mean() > 0.8
    loans = labelled(ring, "first_payment_default", "2026-01-01").merge(
        ring.ask("select application_id from truth where latent_is_fraudster"), on="application_id"
    )
    assert len(loans) > 15
    assert loans["bad"].mean() > 0.8
    assert loans["pd"].min() > 0.9


def test_scenarios_combine(tmp_path: Path) -> None:
    both = shifted(tmp_path, "economic_shock", "fraud_ring", "data_fault", "mix_shift", "concept_change")
    assert both.one("select count(*) from customers") == 6_000 + 1_800 + 60
    assert both.one("select count(distinct customer_id) from customers") == 7_860
    assert both.one(f"select count(payment_method) from orders where ordered_at >= {START}") == 0
