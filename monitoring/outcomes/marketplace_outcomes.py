"""Outcomes of a prepared marketplace by any definition of bad, and its vintage curves, from its clean tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from monitoring.outcomes.outcomes import Outcomes, as_ids
from pipelines.credit.loan import LoanContract, check, labels
from pipelines.credit.vintage import VintageTable, vintage_table
from pipelines.errors import DataError
from pipelines.marketplace.bucket import instalments_of, loans_of
from pipelines.marketplace.buckets import CLEAN
from pipelines.marketplace.prepared import read_history


@dataclass(frozen=True)
class MarketplaceOutcomes:
    """Outcomes and vintages of all loans of a marketplace, by the name of the definition."""

    outcomes: Mapping[str, Outcomes]
    vintages: Mapping[str, VintageTable]


def outcomes_of_marketplace(lake: Path, contracts: Mapping[str, LoanContract]) -> MarketplaceOutcomes:
    """Return the outcomes by several loan contracts, each known at its `as_of`, read bucket by bucket.

    `lake` is the folder of the marketplace in the lake of the workspace, as `thinfile prepare` writes it. The training
    table has the labels of one definition; an early read needs those of another.

    Raises:
        DataError: there are no prepared tables.
        ConfigurationError: a contract is invalid.
    """
    for contract in contracts.values():
        check(contract)
    folders = sorted((lake / CLEAN / "applications").glob("bucket=*"))
    if not folders:
        raise DataError(f"'{lake}' has no prepared tables to read outcomes from; run `thinfile prepare`")
    buckets = sorted(int(folder.name.partition("=")[2]) for folder in folders)
    parts = [_of_bucket(lake, bucket, contracts) for bucket in buckets]
    return MarketplaceOutcomes(
        {name: _joined(name, [one.outcomes[name] for one in parts]) for name in contracts},
        {name: _summed([one.vintages[name] for one in parts]) for name in contracts},
    )


def _of_bucket(lake: Path, bucket: int, contracts: Mapping[str, LoanContract]) -> MarketplaceOutcomes:
    history = read_history(lake, bucket)
    loans, instalments = loans_of(history.applications), instalments_of(history)
    ids = as_ids(history.applications["application_id"])
    outcomes = {name: Outcomes(name, ids, labels(loans, instalments, one)) for name, one in contracts.items()}
    vintages = {name: vintage_table(loans, instalments, one) for name, one in contracts.items()}
    return MarketplaceOutcomes(outcomes, vintages)


def _joined(name: str, parts: list[Outcomes]) -> Outcomes:
    return Outcomes(name, pa.concat_arrays([one.ids for one in parts]), np.concatenate([one.bad for one in parts]))


def _summed(parts: list[VintageTable]) -> VintageTable:
    month = np.unique(np.concatenate([one.month for one in parts]))
    shape = (len(month), max(one.observed.shape[1] for one in parts))
    observed, bad = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for one in parts:
        rows = np.searchsorted(month, one.month)
        observed[rows, : one.observed.shape[1]] += one.observed
        bad[rows, : one.bad.shape[1]] += one.bad
    return VintageTable(month, observed, bad, parts[0].period)
