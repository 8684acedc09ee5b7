"""Decisions of the score log by period, each with its known outcome."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.outcomes.outcomes import Codes, Outcomes, as_ids
from pipelines.credit.loan import UNLABELLED
from pipelines.errors import DataError
from pipelines.scoring.scorer import APPROVED

Floats = NDArray[np.float64]

COLUMNS = ("application_id", "pd", "band", "decision", "period")
VERSION = "model_version"


@dataclass(frozen=True)
class Decisions:
    """The decisions of one period, each array of shape (n,); `early` and `full` are outcome codes.

    `compared` are those whose outcomes are compared with their PDs: the approved, or everyone. `scored_by` names the
    model version whose PDs they are.
    """

    period: str
    ids: NDArray[np.str_]
    probability: Floats
    band: NDArray[np.str_]
    approved: NDArray[np.bool_]
    compared: NDArray[np.bool_]
    early: Codes
    full: Codes
    scored_by: str = ""


def by_period(decisions: pd.DataFrame | pa.Table, early: Outcomes | None, full: Outcomes | None) -> list[Decisions]:
    """Return the decisions by ascending period.

    Raises:
        DataError: a column is missing, a PD is not a probability, or an application occurs twice in a period.
    """
    table = pa.Table.from_pandas(decisions, preserve_index=False) if isinstance(decisions, pd.DataFrame) else decisions
    if missing := [column for column in COLUMNS if column not in table.column_names]:
        columns = ", ".join(table.column_names)
        raise DataError(f"the decisions have no column {', '.join(missing)} (they have {columns}); read the score log")
    periods = sorted(pc.unique(table["period"].cast(pa.string())).to_pylist())
    text = table["period"].cast(pa.string())
    return [_decisions(period, table.filter(pc.equal(text, period)), early, full) for period in periods]


def decided_by(decisions: pd.DataFrame | pa.Table) -> dict[str, int]:
    """Return the number of decisions by the version that made them, empty where the table does not have it."""
    names = decisions.column_names if isinstance(decisions, pa.Table) else [*decisions]
    if VERSION not in names:
        return {}
    counts = pc.value_counts(pa.chunked_array([pa.array(decisions[VERSION])])).to_pylist()
    return {str(one["values"]): int(one["counts"]) for one in sorted(counts, key=lambda one: one["values"])}


def _decisions(period: str, table: pa.Table, early: Outcomes | None, full: Outcomes | None) -> Decisions:
    ids = as_ids(table["application_id"])
    if len(pc.unique(ids)) < len(ids):
        raise DataError(
            f"{period} has several decisions for the same application; select the decisions of one model version and "
            "population"
        )
    probability = table["pd"].cast(pa.float64()).to_numpy()
    if not np.all((probability >= 0) & (probability <= 1)):
        raise DataError(f"{period} has a PD outside 0 to 1; score the period again")
    approved = np.asarray(pc.equal(table["decision"].cast(pa.string()), APPROVED).to_numpy(zero_copy_only=False))
    of_everyone = any(one is not None and one.of_everyone for one in (early, full))
    return Decisions(
        period=period,
        ids=_text(ids),
        probability=probability,
        band=_text(table["band"].cast(pa.string())),
        approved=approved,
        compared=approved | of_everyone,
        early=_outcome(early, ids, period),
        full=_outcome(full, ids, period),
        scored_by=_version(table),
    )


def _version(table: pa.Table) -> str:
    """Return the version that made most of some decisions, empty where the table has none."""
    if VERSION not in table.column_names or not len(table):
        return ""
    counts = pc.value_counts(table[VERSION]).to_pylist()
    return str(max(counts, key=lambda one: one["counts"])["values"])


def _text(column: pa.Array) -> NDArray[np.str_]:
    return np.asarray(column.to_numpy(zero_copy_only=False)).astype(str)


def _outcome(outcomes: Outcomes | None, ids: pa.StringArray, period: str) -> Codes:
    return np.full(len(ids), UNLABELLED, np.int8) if outcomes is None else outcomes.of(ids, period)
