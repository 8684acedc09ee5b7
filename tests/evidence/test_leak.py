"""A feature that knew the future is caught and named, whichever way it got into the training table."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.evidence.leak import leak_evidence
from pipelines.applications.applications import load_applications
from pipelines.applications.settings import DataSettings, Source, SplitSettings
from pipelines.applications.splits import split_applications
from pipelines.features.kernel import compute_features
from pipelines.marketplace.prepared import read_history
from pipelines.policy.pack import GateSettings
from pipelines.storage.workspace import Workspace
from tests.evidence.conftest import Evidence
from tests.experiments.marketplaces import DECLARED, LAKE, data_of, leaking, names_of, prepared

CERTAIN = 10
"""A feature that was changed in so many rows of a sample, on average, is in it but for once in 20,000 samples."""


def test_a_leaked_feature_is_caught_and_a_clean_table_is_not(evidence: Evidence, tmp_path: Path) -> None:
    sample = evidence.size(full=1_000, reduced=40)
    customers = evidence.size(full=20_000, reduced=1_500)
    clean = {lag: prepared(tmp_path / str(lag), customers, lag_days=lag) for lag in (0, 7)}
    lake, figures, holds = clean[0], {}, True
    for lag, one in clean.items():
        found = _differing(data_of(one), one, sample)
        figures[f"clean, lag {lag}"] = len(found)
        holds &= not found
    for name, path in _leaks(lake).items():
        found, changed = _differing(data_of(lake, path), lake, sample), _changed(lake, path)
        certain = {feature for feature, share in changed.items() if share * sample >= CERTAIN}
        figures[name] = len(found)
        holds &= bool(certain) and certain <= set(found) <= set(changed)
    told = _waived(tmp_path)
    holds &= told == "blocked, then waived"
    evidence.record(
        "28-leak",
        claim="simulated marketplaces, features of sampled applications computed again from the lake cut at their "
        "observation time: none differs in a clean table (lag 0 and 7 days); a table computed 30 days ahead, one "
        "feature with the future in it, a feature net of later payments and an added column of later payments are "
        "caught and named, and nothing else is; a flat feature with AUC above 0.9 blocks until it is waived by name",
        value=f"{sample:,} applications; features that differ: "
        + ", ".join(f"{count} ({name})" for name, count in figures.items())
        + f"; flat: {told}",
        bound="0 in clean tables, exactly the features that were changed elsewhere",
        holds=holds,
    )
    assert holds, figures


def _changed(lake: Path, path: Path) -> dict[str, float]:
    """Return the share of applications in which each feature is not that of the table that was prepared."""
    tables = (pq.read_table(one).to_pandas().set_index("application_id") for one in (lake / LAKE / "training", path))
    before, after = (table.sort_index() for table in tables)
    assert before.index.equals(after.index)
    shares = dict.fromkeys(after.columns.difference(before.columns), 1.0)
    for name in names_of():
        is_same = (before[name] == after[name]) | (before[name].isna() & after[name].isna())
        shares[name] = float(1 - is_same.mean())
    return {name: share for name, share in shares.items() if share}


def _differing(data: DataSettings, workspace: Path, sample: int) -> dict[str, int]:
    told = _evidence(data, workspace, GateSettings(leak_sample=sample))
    assert (told["kind"], told["sampled"]) == ("recomputed", sample)
    return dict(told["differing"])


def _evidence(data: DataSettings, workspace: Path, gates: GateSettings) -> dict[str, Any]:
    everyone = load_applications(data, Workspace.at(str(workspace)))
    split = split_applications(everyone, SplitSettings())
    parts = (everyone.take(split.development), everyone.take(split.test))
    return leak_evidence(data, *parts, list(everyone.features), gates, seed=0)


def _leaks(lake: Path) -> dict[str, Path]:
    ahead, later = _ahead(lake), _paid_later(lake)

    def one_ahead(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(orders_90d=ahead["orders_90d"].reindex(table["application_id"]).to_numpy())

    def all_ahead(table: pd.DataFrame) -> pd.DataFrame:
        return table.drop(columns=names_of()).merge(ahead, left_on="application_id", right_index=True)

    def net(table: pd.DataFrame) -> pd.DataFrame:
        paid = later.reindex(table["application_id"]).fillna(0).to_numpy()
        return table.assign(owed=table["owed"] - paid)

    def added(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(paid_later=later.reindex(table["application_id"]).fillna(0).to_numpy())

    return {
        "all features 30 days ahead": leaking(lake, "all_ahead", all_ahead),
        "orders_90d with 30 days to come": leaking(lake, "one_ahead", one_ahead),
        "owed without what was paid later": leaking(lake, "net", net),
        "an added column of later payments": leaking(lake, "added", added),
    }


def _ahead(lake: Path) -> pd.DataFrame:
    """Return features that reach 30 days past the application."""
    histories = [read_history(lake / LAKE, bucket) for bucket in range(_buckets(lake))]
    made = pa.concat_tables([compute_features(history, DECLARED, lag_days=-30) for history in histories])
    return made.to_pandas().set_index("application_id")


def _paid_later(lake: Path) -> "pd.Series[Any]":
    """Return what was paid on each loan itself, which nobody knew when it was applied for."""
    paid = pq.read_table(lake / LAKE / "clean" / "instalments", columns=["application_id", "paid_amount"]).to_pandas()
    return paid.groupby("application_id")["paid_amount"].sum()


def _buckets(lake: Path) -> int:
    return len(list((lake / LAKE / "clean" / "orders").glob("bucket=*")))


def _waived(tmp_path: Path) -> str:
    """Return what becomes of a flat table with a column of what was recovered after default."""
    generator = np.random.default_rng(0)
    bad = generator.random(3_000) < 0.2
    table = pd.DataFrame({"bad": bad.astype(int), "income": generator.normal(size=len(bad)) - bad})
    table["recovered"] = np.where(bad & (generator.random(len(bad)) < 0.9), generator.exponential(size=len(bad)), 0.0)
    table.to_csv(tmp_path / "flat.csv", index=False)
    data = DataSettings(source=Source.table, path=str(tmp_path / "flat.csv"), label="bad")
    blocked = _evidence(data, tmp_path, GateSettings())
    waived = _evidence(data, tmp_path, GateSettings(waived=["recovered"]))
    names = (list(blocked["telling"]), list(waived["telling"]), waived["waived"])
    return "blocked, then waived" if names == (["recovered"], [], ["recovered"]) else str(names)
