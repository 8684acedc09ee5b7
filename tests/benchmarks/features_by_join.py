"""The opponent in features: the plain DuckDB query, orders joined to applications, aggregates with FILTER per window.

It computes the complete default feature set, so it is also an oracle at sizes that the plain Python one cannot reach.
"""

import sys
from pathlib import Path

import duckdb

from pipelines.features.settings import FeatureSettings


def compute(raw: Path, into: Path, settings: FeatureSettings, *, threads: int, memory: str, scratch: Path) -> None:
    """Write the features of all applications below `raw` (folders of Parquet files by table) to one Parquet file."""
    connection = duckdb.connect(config={"threads": threads, "memory_limit": memory, "temp_directory": str(scratch)})
    for table in ("customers", "orders", "applications", "instalments"):
        connection.execute(f"create view {table} as select * from '{raw}/{table}/*.parquet'")
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"create table of_orders as {_of_orders(settings)}")
    connection.execute(f"create table of_debts as {_of_debts(settings)}")
    connection.execute(f"create table of_applications as {_of_applications(settings)}")
    connection.execute(f"create table of_all_time as {_OF_ALL_TIME}")
    joined = " ".join(
        f"left join {one} using (application_id)" for one in ("of_debts", "of_applications", "of_all_time")
    )
    query = f"select * from of_orders {joined}"
    connection.execute(f"copy ({query}) to '{into}' (format parquet)")


_KNOWN = "greatest(o.ordered_at, coalesce(o.available_at, o.ordered_at)) < a.applied_at"


def _of_orders(settings: FeatureSettings) -> str:
    longest = max(settings.windows)
    columns = [one for days in settings.windows for one in _of_window(settings, days)]
    columns += [
        one
        for days in sorted(settings.windows)[:-1]
        for one in (
            f"{_count(days)} * {longest} / nullif({_count(longest)} * {days}, 0) as orders_pace_{days}d",
            f"coalesce({_sum('amount', days)}, 0) * {longest} / nullif({_sum('amount', longest)} * {days}, 0) "
            f"as spent_pace_{days}d",
        )
    ]
    columns += [
        "any_value(a.principal) as principal",
        "any_value(a.term) as term",
        "any_value(a.basket_category) as basket_category",
        f"any_value(hour({_local('a.applied_at', settings)}) < {settings.night_until})::int as applied_at_night",
        f"any_value(a.principal) * {_count(longest)} / nullif({_sum('amount', longest)}, 0) as principal_to_mean_order",
        f"any_value(a.principal) / nullif({_sum('amount', longest)}, 0) as principal_to_spent",
        f"any_value(a.principal / a.term) / nullif({_sum('amount', longest)} / ({longest} / (365.25 / 12)), 0) "
        "as instalment_to_spending",
    ]
    return (
        f"select a.application_id, {', '.join(columns)} from applications a left join orders o "
        f"on o.customer_id = a.customer_id and {_KNOWN} and o.ordered_at >= a.applied_at - interval {longest} day "
        "group by a.application_id"
    )


def _of_window(settings: FeatureSettings, days: int) -> list[str]:
    count, spent = f"nullif({_count(days)}, 0)", f"nullif({_sum('amount', days)}, 0)"
    local = _local("o.ordered_at", settings)
    hours = "(epoch_us(o.ordered_at) // 3600000000)"
    levels = [f"o.category = '{level}'" for level in settings.categories]
    other = f"coalesce(o.category not in ({', '.join(map(repr, settings.categories))}), true)"
    shares = [f"({_count(days, level)} / {count})" for level in [*levels, other]]
    payday = f"(day({local}) >= {settings.payday_from} or day({local}) <= {settings.payday_until})"
    told = {
        "orders": _count(days),
        "spent": f"coalesce({_sum('amount', days)}, 0)",
        "mean_order": f"{_sum('amount', days)} / {count}",
        "order_deviation": f"case when {_count(days)} > 1 then stddev_pop(o.amount) {_only(days)} end",
        "order_variation": f"case when {_count(days)} > 1 then stddev_pop(o.amount) {_only(days)} end "
        f"* {count} / {spent}",
        "mean_order_age": f"avg(epoch_us(a.applied_at) // 3600000000 - {hours}) {_only(days)} / 24",
        "order_time_deviation": f"case when {_count(days)} > 1 then stddev_pop({hours}) {_only(days)} / 24 end",
        "categories": " + ".join(f"({_count(days, level)} > 0)::int" for level in [*levels, other]),
        "category_entropy": "-(" + " + ".join(f"coalesce({one} * ln(nullif({one}, 0)), 0)" for one in shares)
        + f") + 0 * {_count(days)} / {count}",
        "night_share": f"{_count(days, f'hour({local}) < {settings.night_until}')} / {count}",
        "weekend_share": f"{_count(days, f'isodow({local}) > 5')} / {count}",
        "payday_share": f"{_count(days, payday)} / {count}",
        "returned_share": f"{_count(days, 'o.returned_at < a.applied_at')} / {count}",
        "returned_amount_share": f"coalesce({_sum('amount', days, 'o.returned_at < a.applied_at')}, 0) / {spent}",
        "cancelled_share": f"{_count(days, 'o.cancelled_at < a.applied_at')} / {count}",
        "discount_rate": f"{_discount(days)} / nullif({_discount(days)} + {_sum('amount', days)}, 0)",
        "discounted_share": f"{_count(days, 'o.discount > 0')} / {count}",
    }  # fmt: skip
    for level in settings.categories:
        told[f"spent_on_{level}"] = f"coalesce({_sum('amount', days, f'o.category = {level!r}')}, 0) / {spent}"
    for level in settings.channels:
        told[f"by_{level}"] = f"{_count(days, f'o.channel = {level!r}')} / {count}"
    for level in settings.payment_methods:
        told[f"paid_by_{level}"] = f"{_count(days, f'o.payment_method = {level!r}')} / {count}"
    return [f"{expression} as {name}_{days}d" for name, expression in told.items()]


def _only(days: int, condition: str = "true") -> str:
    return f"filter (where o.ordered_at >= a.applied_at - interval {days} day and {condition})"


def _count(days: int, condition: str = "true") -> str:
    return f"count(o.order_id) {_only(days, condition)}"


def _sum(column: str, days: int, condition: str = "true") -> str:
    return f"sum(o.{column}) {_only(days, condition)}"


def _discount(days: int) -> str:
    return f"coalesce({_sum('discount', days)}, 0)"


def _local(moment: str, settings: FeatureSettings) -> str:
    return moment if settings.clock == "UTC" else f"timezone('{settings.clock}', {moment}::timestamptz)"


def _of_debts(settings: FeatureSettings) -> str:
    columns = []
    for days in settings.windows:
        due = f"d.due_at < a.applied_at and d.due_at >= a.applied_at - interval {days} day"
        late = f"{due} and (d.settled_at is null or d.settled_at > d.due_at)"
        known = f"{late} and d.settled_at < a.applied_at"
        reached = "d.due_at + interval 30 day"
        arrears = (
            f"{reached} < a.applied_at and {reached} >= a.applied_at - interval {days} day "
            f"and (d.settled_at is null or d.settled_at > {reached})"
        )
        columns += [
            f"count(*) filter (where {due}) as instalments_due_{days}d",
            f"count(*) filter (where {late}) / nullif(count(*) filter (where {due}), 0) as late_share_{days}d",
            f"avg(epoch_us(d.settled_at - d.due_at) // 86400000000) filter (where {known}) as mean_days_late_{days}d",
            f"count(*) filter (where {arrears}) as reached_30_dpd_{days}d",
        ]
    unpaid = "(d.settled_at is null or d.settled_at >= a.applied_at)"
    lent, overdue = f"d.disbursed_at < a.applied_at and {unpaid}", f"d.due_at < a.applied_at and {unpaid}"
    columns += [
        f"coalesce(sum(d.due_amount) filter (where {lent}), 0) as owed",
        f"count(*) filter (where {lent}) as open_instalments",
        f"coalesce(sum(d.due_amount) filter (where {overdue}), 0) as overdue",
        f"count(*) filter (where {overdue}) as overdue_instalments",
    ]
    return (
        "with debts as (select l.customer_id, l.disbursed_at, i.due_at, i.due_amount, "
        "case when i.paid_amount >= i.due_amount then i.paid_at end as settled_at "
        "from instalments i join applications l using (application_id)) "
        f"select a.application_id, {', '.join(columns)} from applications a left join debts d using (customer_id) "
        "group by a.application_id"
    )


def _of_applications(settings: FeatureSettings) -> str:
    columns = [
        f"count(e.application_id) filter (where e.applied_at >= a.applied_at - interval {days} day) "
        f"as applications_{days}d"
        for days in settings.windows
    ]
    columns.append("epoch_us(any_value(a.applied_at) - max(e.applied_at)) / 86400000000 as days_since_last_application")
    return (
        f"select a.application_id, {', '.join(columns)} from applications a left join applications e "
        "on e.customer_id = a.customer_id and e.applied_at < a.applied_at group by a.application_id"
    )


_OF_ALL_TIME = f"""
    select a.application_id,
      epoch_us(any_value(a.applied_at) - max(o.ordered_at)) / 86400000000 as days_since_last_order,
      epoch_us(any_value(a.applied_at) - any_value(c.registered_at) filter (where c.registered_at < a.applied_at))
        / 86400000000 as days_since_registration
    from applications a left join orders o on o.customer_id = a.customer_id and {_KNOWN}
    left join customers c on c.customer_id = a.customer_id
    group by a.application_id
"""


if __name__ == "__main__":
    from tests.benchmarks.settings import default_features

    folder, file, spilled = map(Path, sys.argv[1:])
    compute(folder, file, default_features(), threads=2, memory="12GB", scratch=spilled)
