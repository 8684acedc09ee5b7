"""Features, outcomes and protected attributes of the applications in one bucket of customers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.credit.loan import (
    BAD,
    UNLABELLED,
    Instalments,
    LoanContract,
    Loans,
    Status,
    labels,
    statuses,
    window_end,
)
from pipelines.credit.periods import Period
from pipelines.credit.vintage import vintage_table
from pipelines.features.columns import numbers
from pipelines.features.history import History
from pipelines.features.kernel import compute_features
from pipelines.features.settings import FeatureSettings
from pipelines.marketplace.tables import APPROVED, BAD_FLAG

AGE_BANDS = (18, 25, 35, 45, 55, 65)
"""Lower ends of the bands, in years."""

Times = NDArray[np.datetime64]


@dataclass(frozen=True)
class PreparedBucket:
    """`applications` has a row for each application of any status.

    `vintages` has month, observed, bad, and the months (`mob`) on book, or weeks (`wob`) where the window is in days.
    """

    applications: pa.Table
    vintages: pa.Table


def prepare_bucket(
    history: History, loan: LoanContract, features: FeatureSettings, segments: Sequence[str] = ()
) -> PreparedBucket:
    """Return the applications of a bucket, ordered by time and id, and its vintages.

    Columns: application_id, customer_id, applied_at, decision, is_random_approval, status, outcome_known_at, bad (empty
    unless mature), sex, age_band, the columns of applications that are `segments`, then the features.
    """
    history = _until(history, loan)
    loans, instalments = loans_of(history.applications), instalments_of(history)
    outcomes = _outcomes(history, loans, instalments, loan, segments)
    values = compute_features(history, features, lag_days=loan.feature_lag_days)
    rows = pc.index_in(values["application_id"], value_set=outcomes["application_id"].combine_chunks())
    joined = outcomes.take(rows)
    for name in values.column_names[1:]:
        joined = joined.append_column(name, values[name])
    vintages = vintage_table(loans, instalments, loan)
    month, age = np.nonzero(vintages.observed)
    name_of_age = "mob" if vintages.period is Period.month else "wob"
    cells = {"month": vintages.month[month].astype("datetime64[D]"), name_of_age: age}
    counts = {name: getattr(vintages, name)[month, age] for name in ("observed", "bad")}
    return PreparedBucket(
        joined.sort_by([("applied_at", "ascending"), ("application_id", "ascending")]), pa.table(cells | counts)
    )


def _until(history: History, loan: LoanContract) -> History:
    """Return the history without applications made after the as-of date, and without their instalments."""
    applied_at = history.applications["applied_at"].cast(pa.timestamp("us"))
    applications = history.applications.filter(pc.less_equal(applied_at, pa.scalar(loan.known_until)))
    ids = applications["application_id"].combine_chunks()
    instalments = history.instalments.filter(pc.is_in(history.instalments["application_id"], value_set=ids))
    return replace(history, applications=applications, instalments=instalments)


def _outcomes(
    history: History, loans: Loans, instalments: Instalments, loan: LoanContract, segments: Sequence[str]
) -> pa.Table:
    table = history.applications
    label = labels(loans, instalments, loan)
    status = np.asarray([one.name for one in Status])[statuses(loans, instalments, loan)]
    columns: dict[str, object] = {
        "application_id": table["application_id"],
        "customer_id": table["customer_id"],
        "applied_at": table["applied_at"],
        "decision": table["decision"],
        "is_random_approval": table["is_random_approval"],
        "status": pa.array(status),
        "outcome_known_at": pa.array(window_end(loans.disbursed_at, loan.bad)),
        "bad": pa.array((label == BAD).astype(np.int8), mask=label == UNLABELLED),
    }
    return pa.table(
        columns | protected(history.customers, table) | {name: table[name].cast(pa.string()) for name in segments}
    )


def protected(customers: pa.Table, applications: pa.Table) -> dict[str, pa.Array]:
    """Return the protected attributes of each application's customer: sex and age band. They are never features."""
    rows = pc.index_in(applications["customer_id"], value_set=customers["customer_id"].combine_chunks())
    people = customers.take(rows)
    age = pc.subtract(pc.year(applications["applied_at"]), people["birth_year"].cast(pa.int64()))
    names = np.asarray([_band(index) for index in range(len(AGE_BANDS) + 1)])
    bands = names[np.searchsorted(AGE_BANDS, pc.fill_null(age, 0).to_numpy(), side="right")]
    return {"sex": people["sex"].combine_chunks(), "age_band": pa.array(bands, mask=pc.is_null(age).to_numpy())}


def _band(index: int) -> str:
    """Return the name of an age band.

    >>> _band(0), _band(1), _band(6)
    ('under 18', '18-24', '65 and over')
    """
    if index == 0:
        return f"under {AGE_BANDS[0]}"
    if index == len(AGE_BANDS):
        return f"{AGE_BANDS[-1]} and over"
    return f"{AGE_BANDS[index - 1]}-{AGE_BANDS[index] - 1}"


def loans_of(applications: pa.Table) -> Loans:
    """Return the clean applications as loans."""
    moment = _moments(applications)
    return Loans(
        approved=pc.equal(applications["decision"], APPROVED).to_numpy(),
        disbursed_at=moment("disbursed_at"),
        refunded_at=moment("refunded_at"),
        fraud_confirmed_at=moment("fraud_confirmed_at"),
        written_off_at=moment("written_off_at"),
        bad_flag=_flags(applications),
    )


def _flags(applications: pa.Table) -> NDArray[np.int8] | None:
    if BAD_FLAG not in applications.column_names:
        return None
    flags = pc.fill_null(applications[BAD_FLAG].cast(pa.int8()), UNLABELLED)
    return np.asarray(flags.to_numpy(), np.int8)


def instalments_of(history: History) -> Instalments:
    """Return the clean instalments, each with the row number of its application."""
    table, moment = history.instalments, _moments(history.instalments)
    rows = pc.index_in(table["application_id"], value_set=history.applications["application_id"].combine_chunks())
    return Instalments(
        loan=np.asarray(rows.to_numpy(), np.int64),
        number=numbers(table, "number", otherwise=0),
        due_at=moment("due_at"),
        due_amount=numbers(table, "due_amount", otherwise=0),
        paid_at=moment("paid_at"),
        paid_amount=numbers(table, "paid_amount", otherwise=0),
    )


def _moments(table: pa.Table) -> Callable[[str], Times]:
    return lambda column: np.asarray(table[column].cast(pa.timestamp("us")).to_numpy())
