"""The kernel: computes the features of applications from the history of their customers.

It takes Arrow tables and returns one; DuckDB and Spark only bring the rows of a customer together.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.features import facts
from pipelines.features.catalogue import BASKET_CATEGORY, Age, Feature, Own, Quantity, Sum, features_of, quantities_of
from pipelines.features.columns import MISSING, Integers, filled, numbers, times
from pipelines.features.facts import MICROSECONDS_A_DAY, MICROSECONDS_AN_HOUR, Debts
from pipelines.features.history import History, Numbered, Rows, number, slices
from pipelines.features.running_sums import ActiveSums, Clock, Facts, Moments
from pipelines.features.settings import FeatureSettings, What


def compute_features(
    history: History,
    settings: FeatureSettings,
    *,
    lag_days: int,
    asked: pa.Table | None = None,
    further: Sequence[Feature] = (),
) -> pa.Table:
    """Return application_id and the features of every application, from what was known strictly before it.

    With a lag, from what was known that many days before it. Sums and counts are int64, the rest doubles with NaN where
    nothing can be said, the category of the financed order text. Rows are ordered by customer and time.

    `asked` are the applications to answer for in place of the history's, which may never have been made: they are asked
    about and are nobody's past. `further` features stand beside those that the settings declare.
    """
    questions = history.applications if asked is None else asked
    clock = _clock(history, questions, settings, lag_days)
    features = [*features_of(settings), *further]
    parts = [number(history, part) for part in slices(questions, clock.most_customers)]
    return pa.concat_tables([_compute(part, clock, settings, features, lag_days) for part in parts])


def feature_columns(settings: FeatureSettings) -> tuple[list[str], list[str]]:
    """Return the names of the numeric and of the categorical features."""
    categorical = [BASKET_CATEGORY] if What.application in settings.what else []
    return [feature.name for feature in features_of(settings)], categorical


def _clock(history: History, questions: pa.Table, settings: FeatureSettings, lag_days: int) -> Clock:
    """Return the line of time from before the first window to after the last application."""
    asked, applied = (times(table, "applied_at") for table in (questions, history.applications))
    reach = (max(settings.windows) + lag_days + 1) * MICROSECONDS_A_DAY
    happened = np.concatenate([asked, applied, times(history.orders, "ordered_at")])
    first, last = (int(happened.min()), int(asked.max())) if len(asked) else (0, 0)
    return Clock(first - reach, max(last, first) + MICROSECONDS_A_DAY)


def _compute(
    history: Numbered, clock: Clock, settings: FeatureSettings, features: Sequence[Feature], lag_days: int
) -> pa.Table:
    asked = _in_order(history.asked, clock)
    lagged = times(asked.table, "applied_at") - lag_days * MICROSECONDS_A_DAY
    moments = Moments(asked.customer, lagged, _financed(asked.table, history.orders.table, lagged))
    answers = _Answers(history, asked, moments, clock, settings)
    quantities = answers.all(quantities_of(features))
    columns: dict[str, object] = {"application_id": asked.table["application_id"]}
    for feature in features:
        columns[feature.name] = feature.formula(*(quantities[quantity] for quantity in feature.quantities))
    if What.application in settings.what:
        columns[BASKET_CATEGORY] = _basket(asked.table)
    return pa.table(columns)


def _financed(applications: pa.Table, orders: pa.Table, at: Integers) -> Integers | None:
    """Return the row of the order that each application finances, -1 for none known by then; None where all are -1.

    That order is not history, even if its time is before the application.
    """
    if "order_id" not in applications.column_names or not len(orders):
        return None
    ids = applications["order_id"]
    if ids.null_count == len(ids):
        return None
    rows = pc.index_in(ids, value_set=orders["order_id"].combine_chunks(), skip_nulls=True)
    row_of = filled(rows.cast(pa.int64()), -1)
    is_known = (row_of >= 0) & (facts.available_at(orders)[row_of] < at)
    return np.where(is_known, row_of, -1) if is_known.any() else None


def _in_order(applications: Rows, clock: Clock) -> Rows:
    """Return applications by customer and time: neighbouring questions then look at neighbouring sums."""
    places = clock.place(applications.customer, times(applications.table, "applied_at"))
    return applications.take(np.argsort(places, kind="stable"))


def _basket(applications: pa.Table) -> pa.ChunkedArray:
    if BASKET_CATEGORY in applications.column_names:
        return applications[BASKET_CATEGORY].cast(pa.string())
    return pa.chunked_array([pa.nulls(len(applications), pa.string())])


@dataclass(frozen=True)
class _Answers:
    """What the formulas ask for, at the moment of each application."""

    history: Numbered
    asked: Rows
    moments: Moments
    clock: Clock
    settings: FeatureSettings

    def all(self, quantities: set[Quantity]) -> dict[Quantity, Integers]:
        """Return the answer to each question; those about the same facts and window are asked together."""
        answers: dict[Quantity, Integers] = {one: self._own(one.name) for one in quantities if isinstance(one, Own)}
        about: dict[str, list[Sum | Age]] = defaultdict(list)
        for one in sorted((one for one in quantities if not isinstance(one, Own)), key=repr):
            about[one.facts].append(one)
        for kind, questions in about.items():
            answers |= self._about(ActiveSums(self._facts(kind), self.clock), questions)
        return answers

    def _about(self, sums: ActiveSums, questions: Sequence[Sum | Age]) -> dict[Quantity, Integers]:
        answers: dict[Quantity, Integers] = {}
        by_window: dict[int | None, list[Sum]] = defaultdict(list)
        for one in questions:
            if isinstance(one, Age):
                answers[one] = self._age(sums.latest(self.moments))
            else:
                by_window[one.days].append(one)
        for days, summed in by_window.items():
            names = [one.weight for one in summed]
            if days is None:
                sums_by_weight = sums.standing(names, self.moments)
            else:
                sums_by_weight = sums.within(days * MICROSECONDS_A_DAY, names, self.moments)
            answers |= {one: sums_by_weight[one.weight] for one in summed}
        return answers

    def _age(self, happened: Integers) -> Integers:
        return np.where(happened == MISSING, MISSING, self.moments.at - happened)

    def _facts(self, kind: str) -> list[Facts]:
        history = self.history
        if kind == "orders":
            return facts.order_facts(history.orders, self.settings)
        makers: dict[str, Callable[[], Facts]] = {
            "returned": lambda: facts.fate_facts(history.orders, "returned_at"),
            "cancelled": lambda: facts.fate_facts(history.orders, "cancelled_at"),
            "applications": lambda: facts.application_facts(history.applications),
            "due": lambda: facts.due_facts(self._debts),
            "late": lambda: facts.late_facts(self._debts),
            "arrears": lambda: facts.arrears_facts(self._debts),
            "debt": lambda: facts.debt_facts(self._debts),
        }
        return [makers[kind]()]

    @cached_property
    def _debts(self) -> Debts:
        return Debts.of(self.history.instalments, self.history.disbursed)

    def _own(self, name: str) -> Integers:
        applied_at = self.asked.table["applied_at"]
        makers: dict[str, Callable[[], Integers]] = {
            "principal": lambda: numbers(self.asked.table, "principal", otherwise=MISSING),
            "term": lambda: numbers(self.asked.table, "term", otherwise=MISSING),
            "hours": lambda: self.moments.at // MICROSECONDS_AN_HOUR,
            "night": lambda: facts.at_night(applied_at, self.settings),
            "registered_for": self._registered_for,
        }
        return makers[name]()

    def _registered_for(self) -> Integers:
        """Return the microseconds since registration; MISSING where it is unknown or not before the application."""
        registered = np.full(int(self.asked.customer.max(initial=-1)) + 1, MISSING)
        registered[self.history.customers.customer] = times(self.history.customers.table, "registered_at")
        at = registered[self.asked.customer]
        return np.where((at == MISSING) | (at >= self.moments.at), MISSING, self.moments.at - at)
