"""Every simulated row keeps the contracts of a marketplace, and says what a lender could have known by then."""

import duckdb
import pytest

from pipelines.marketplace.tables import CONTRACTS, Kind, TableContract
from tests.pipelines.simulation.lakes import Lake

AS_OF = "timestamp '2026-01-01'"
TYPES = {
    Kind.identifier: "BIGINT",
    Kind.text: "VARCHAR",
    Kind.time: "TIMESTAMP",
    Kind.money: "BIGINT",
    Kind.whole: "INTEGER",
    Kind.number: "DOUBLE",
    Kind.flag: "BOOLEAN",
}

NOT_SIMULATED = {"marketplace", "bad_flag"}
"""Optional columns: the simulation has one marketplace, and its lender judges by payments."""


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_columns_are_those_of_the_contract(contract: TableContract, lake: Lake) -> None:
    with duckdb.connect() as db:
        found = db.execute(f"describe select * from '{lake.folder}/{contract.name}/*.parquet'").fetchall()
    expected = {one.name: TYPES[one.kind] for one in contract.columns if one.name not in NOT_SIMULATED}
    assert {name: kind for name, kind, *_ in found} == expected


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_every_row_keeps_every_rule(contract: TableContract, lake: Lake) -> None:
    for rule in contract.rules:
        assert lake.one(f"select count(*) from {contract.name} where ({rule.holds}) is false") == 0, rule.sentence
    for column in contract.columns:
        if not column.nullable:
            assert lake.one(f"select count(*) from {contract.name} where {column.name} is null") == 0, column.name
    key = ", ".join(contract.key)
    assert lake.one(f"select count(*) from (select {key} from {contract.name} group by {key} having count(*) > 1)") == 0


def test_every_order_and_application_belongs_to_a_customer_who_is_registered_by_then(lake: Lake) -> None:
    for table, time in (("orders", "ordered_at"), ("applications", "applied_at")):
        strangers = f"select count(*) from {table} o left join customers c using (customer_id) where "
        assert lake.one(f"{strangers} c.customer_id is null or o.{time} < c.registered_at") == 0


def test_nothing_after_the_as_of_date_is_known(lake: Lake) -> None:
    moments = {
        "customers": ["registered_at"],
        "orders": ["ordered_at", "returned_at", "cancelled_at", "available_at"],
        "applications": ["applied_at", "disbursed_at", "refunded_at", "fraud_confirmed_at", "written_off_at"],
        "instalments": ["paid_at"],
    }
    for table, columns in moments.items():
        for column in columns:
            assert lake.one(f"select count(*) from {table} where {column} > {AS_OF}") == 0, column
    assert lake.one(f"select max(due_at) > {AS_OF} from instalments")


def test_an_application_comes_before_the_order_that_it_finances(lake: Lake) -> None:
    pairs = "applications a join orders o using (order_id)"
    assert lake.one("select count(*) from applications where (order_id is null) <> (decision = 'declined')") == 0
    broken = "a.customer_id <> o.customer_id or a.principal <> o.amount or a.basket_category <> o.category"
    assert lake.one(f"select count(*) from {pairs} where {broken}") == 0
    soon = "o.ordered_at > a.applied_at and o.ordered_at <= a.applied_at + interval 15 minute"
    assert lake.one(f"select count(*) from {pairs} where {soon}") == lake.one(
        "select count(order_id) from applications"
    )
    assert lake.one("select min(applied_at) >= timestamp '2022-04-01' from applications")


def test_loans_have_all_their_instalments_and_others_have_none(lake: Lake) -> None:
    per_loan = """
        select a.*, count(number) as n, max(number) as last, sum(due_amount) as owed,
            max(due_amount) - min(due_amount) as spread,
            bool_and(due_at = disbursed_at + to_months(number)) as in_step
        from applications a left join instalments using (application_id) group by all"""
    assert (
        lake.one(f"select count(*) from ({per_loan}) where n <> (case when disbursed_at is null then 0 else term end)")
        == 0
    )
    interest = "round(principal * price * (term + 1) / 24)"
    loans = f"select * from ({per_loan}) where disbursed_at is not null"
    assert lake.one(f"select count(*) from ({loans}) where last <> term or not in_step or spread > 1") == 0
    assert (
        lake.one(f"select max(abs(owed - principal - {interest})) from ({loans})") <= 1
    )  # halves may round either way


def test_whoever_stops_paying_never_pays_again_and_a_part_settles_nothing(lake: Lake) -> None:
    plain = "instalments join applications using (application_id) where refunded_at is null"
    first_unpaid = f"""
        select application_id, min(number) as number from {plain} and paid_amount < due_amount
            and due_at + interval 89 day <= {AS_OF} group by 1"""
    later = (
        f"select count(*) from instalments i join ({first_unpaid}) f using (application_id) where i.number > f.number"
    )
    assert lake.one(f"{later} and i.paid_amount > 0") == 0
    partly = lake.one("select count(*) from instalments where paid_amount > 0 and paid_amount < due_amount")
    assert partly > 0
    cured = f"select count(*) from {plain} and paid_amount >= due_amount and paid_at > due_at + interval 89 day"
    assert lake.one(cured) == 0


def test_refunds_come_before_the_first_instalment_and_settle_the_loan(lake: Lake) -> None:
    refunded = "applications join instalments using (application_id) where refunded_at is not null"
    assert lake.one(f"select count(*) from {refunded}") > 100
    assert lake.one(f"select count(*) from {refunded} and (refunded_at >= due_at or paid_amount < due_amount)") == 0


def test_the_truth_lies_in_a_table_of_its_own(lake: Lake) -> None:
    assert lake.one("select count(*) from truth") == lake.one("select count(*) from applications")
    assert lake.one("select count(*) from truth join applications using (application_id)") == lake.one(
        "select count(*) from applications"
    )
    for contract in CONTRACTS:
        with duckdb.connect() as db:
            names = [
                row[0]
                for row in db.execute(f"describe select * from '{lake.folder}/{contract.name}/*.parquet'").fetchall()
            ]
        assert not any(name.startswith(("true_", "latent_")) for name in names)
