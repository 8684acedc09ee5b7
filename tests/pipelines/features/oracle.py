"""The features once more, for the tests alone: one application at a time, in plain Python, as one would say it."""

import math
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from statistics import fmean, pstdev
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.features.settings import FeatureSettings, name_of_level

Row = dict[str, Any]
Tables = dict[str, list[Row]]
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1)


def features(tables: Tables, settings: FeatureSettings, lag_days: int) -> dict[Any, Row]:
    """Return the features of each application, by its id."""
    return {one["application_id"]: _features(one, tables, settings, lag_days) for one in tables["applications"]}


def _features(application: Row, tables: Tables, settings: FeatureSettings, lag_days: int) -> Row:
    now = application["applied_at"] - lag_days * DAY
    mine = {
        name: [row for row in tables[name] if row["customer_id"] == application["customer_id"]]
        for name in ("customers", "orders", "applications")
    }
    loans = {row["application_id"]: row for row in mine["applications"]}
    debts = [row for row in tables["instalments"] if row["application_id"] in loans]
    financed = application.get("order_id")
    orders = [row for row in mine["orders"] if _known(row) < now and (financed is None or row["order_id"] != financed)]
    told: Row = {}
    for days in settings.windows:
        recent = [row for row in orders if row["ordered_at"] >= now - days * DAY]
        for name, value in (_of_orders(recent, now, settings) | _of_debts(mine, debts, now, days)).items():
            told[f"{name}_{days}d"] = value
    longest = max(settings.windows)
    for days in sorted(settings.windows)[:-1]:
        for name in ("orders", "spent"):
            told[f"{name}_pace_{days}d"] = _ratio(told[f"{name}_{days}d"] * longest, told[f"{name}_{longest}d"] * days)
    earlier = [row["applied_at"] for row in mine["applications"] if row["applied_at"] < now]
    registered = [row["registered_at"] for row in mine["customers"] if row["registered_at"] < now]
    told["days_since_last_order"] = _age(now, max((row["ordered_at"] for row in orders), default=None))
    told["days_since_last_application"] = _age(now, max(earlier, default=None))
    told["days_since_registration"] = _age(now, registered[0] if registered else None)
    unpaid = [row for row in debts if not _settled_before(row, now)]
    lent = [row for row in unpaid if (at := loans[row["application_id"]]["disbursed_at"]) is not None and at < now]
    overdue = [row for row in unpaid if row["due_at"] < now]
    told["owed"], told["open_instalments"] = sum(row["due_amount"] for row in lent), len(lent)
    told["overdue"], told["overdue_instalments"] = sum(row["due_amount"] for row in overdue), len(overdue)
    principal, term, spent = application["principal"], application["term"], told[f"spent_{longest}d"]
    told["principal"], told["term"] = principal, term
    told["applied_at_night"] = int(_local(application["applied_at"], settings).hour < settings.night_until)
    told["principal_to_mean_order"] = _ratio(principal, told[f"mean_order_{longest}d"])
    told["principal_to_spent"] = _ratio(principal, spent)
    told["instalment_to_spending"] = _ratio(principal / term, spent / (longest / (365.25 / 12)))
    told["basket_category"] = application["basket_category"]
    return told


def _of_orders(orders: list[Row], now: datetime, settings: FeatureSettings) -> Row:
    amounts = [row["amount"] for row in orders]
    hours = [(row["ordered_at"] - EPOCH) // HOUR for row in orders]
    clocks = [_local(row["ordered_at"], settings) for row in orders]
    levels = Counter(row["category"] if row["category"] in settings.categories else "other" for row in orders)
    shares = [count / len(orders) for count in levels.values()]
    returned = [row for row in orders if row["returned_at"] is not None and row["returned_at"] < now]
    cancelled = [row for row in orders if row["cancelled_at"] is not None and row["cancelled_at"] < now]
    discount = sum(row["discount"] or 0 for row in orders)
    mean = fmean(amounts) if amounts else math.nan
    deviation = pstdev(amounts) if len(amounts) > 1 else math.nan
    told = {
        "orders": len(orders),
        "spent": sum(amounts),
        "mean_order": mean,
        "order_deviation": deviation,
        "order_variation": _ratio(deviation, mean) if sum(amounts) else math.nan,
        "mean_order_age": fmean((now - EPOCH) // HOUR - hour for hour in hours) / 24 if hours else math.nan,
        "order_time_deviation": pstdev(hours) / 24 if len(hours) > 1 else math.nan,
        "categories": len(levels),
        "category_entropy": -sum(share * math.log(share) for share in shares) if orders else math.nan,
        "night_share": _share(clock.hour < settings.night_until for clock in clocks),
        "weekend_share": _share(clock.isoweekday() > 5 for clock in clocks),
        "payday_share": _share(
            clock.day >= settings.payday_from or clock.day <= settings.payday_until for clock in clocks
        ),
        "returned_share": _ratio(len(returned), len(orders)),
        "returned_amount_share": _ratio(sum(row["amount"] for row in returned), sum(amounts)),
        "cancelled_share": _ratio(len(cancelled), len(orders)),
        "discount_rate": _ratio(discount, discount + sum(amounts)),
        "discounted_share": _share((row["discount"] or 0) > 0 for row in orders),
    }
    for level in settings.categories:
        told[f"spent_on_{name_of_level(level)}"] = _ratio(
            sum(row["amount"] for row in orders if row["category"] == level), sum(amounts)
        )
    for level in settings.channels:
        told[f"by_{name_of_level(level)}"] = _share(row["channel"] == level for row in orders)
    for level in settings.payment_methods:
        told[f"paid_by_{name_of_level(level)}"] = _share(row["payment_method"] == level for row in orders)
    for level in settings.marketplaces:
        theirs = [row["amount"] for row in orders if row["marketplace"] == level]
        told[f"orders_in_{name_of_level(level)}"] = len(theirs)
        told[f"spent_in_{name_of_level(level)}"] = _ratio(sum(theirs), sum(amounts))
    return told


def _of_debts(mine: Tables, debts: list[Row], now: datetime, days: int) -> Row:
    due = [row for row in debts if now - days * DAY <= row["due_at"] < now]
    late = [row for row in due if _settled(row) is None or _settled(row) > row["due_at"]]
    delays = [(_settled(row) - row["due_at"]) // DAY for row in late if _settled_before(row, now)]
    reached = [
        row
        for row in debts
        if now - days * DAY <= (at := row["due_at"] + 30 * DAY) < now and (_settled(row) is None or _settled(row) > at)
    ]
    return {
        "instalments_due": len(due),
        "late_share": _ratio(len(late), len(due)),
        "mean_days_late": fmean(delays) if delays else math.nan,
        "reached_30_dpd": len(reached),
        "applications": sum(now - days * DAY <= row["applied_at"] < now for row in mine["applications"]),
    }


def _known(order: Row) -> datetime:
    known: datetime = max(order["ordered_at"], order["available_at"] or order["ordered_at"])
    return known


def _settled(instalment: Row) -> Any:
    return instalment["paid_at"] if instalment["paid_amount"] >= instalment["due_amount"] else None


def _settled_before(instalment: Row, now: datetime) -> bool:
    settled = _settled(instalment)
    return settled is not None and settled < now


def _local(moment: datetime, settings: FeatureSettings) -> datetime:
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(settings.clock))


def _age(now: datetime, then: datetime | None) -> float:
    return math.nan if then is None else (now - then) / DAY


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _share(flags: Iterable[bool]) -> float:
    told = list(flags)
    return fmean(told) if told else math.nan
