"""Purchase features are joined to a user's own applications, equal to those of the marketplace's own route."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset as pds
import pyarrow.parquet as pq
import pytest

from pipelines.book.prepare import prepare
from pipelines.credit.loan import DEFINITIONS, LoanContract
from pipelines.erasures.record import BEGUN
from pipelines.erasures.salt import Kind, ensure_salt, hashed
from pipelines.errors import DataError
from pipelines.features.kernel import feature_columns
from pipelines.features.settings import FeatureSettings, What
from pipelines.marketplace.settings import PrepareSettings, RawSettings, TableMapping, TableMappings
from pipelines.simulation.settings import SimulateSettings
from pipelines.simulation.simulate import simulate
from pipelines.storage.chain import Chain
from pipelines.storage.workspace import Workspace
from tests.conftest import Answer

SHORT = FeatureSettings(what=[What.frequency, What.amount, What.instalments, What.application], windows=[30, 180])
OWN = {"customer_id": "client", "applied_at": "asked_at", "order_id": "basket"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a small simulated marketplace, prepared by its own route in several buckets."""
    root = tmp_path_factory.mktemp("joined")
    simulate(SimulateSettings(workspace=str(root), customers=1_500, threads=1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.book.prepare.BYTES_A_BUCKET", 200_000)
        prepare(settings(root))
    return root


def settings(workspace: Path, lag: int = 0, **own: Any) -> PrepareSettings:
    tables = TableMappings(own_applications=TableMapping(**own))
    raw = RawSettings(folder=str(workspace / "lake" / "simulated"), time_zone="UTC", tables=tables)
    loan = LoanContract(DEFINITIONS["dpd30_at_3_mob"], "2026-01-01", lag)
    return PrepareSettings(workspace=str(workspace), raw=raw, loan=loan, features=SHORT, threads=1)


def own_rows(workspace: Path) -> pa.Table:
    """Return the simulated applications as a lender's own table with columns of its own, in another order."""
    rows = pds.dataset(workspace / "lake" / "simulated" / "applications").to_table()
    kept = ["application_id", "customer_id", "applied_at", "order_id", "principal", "term", "basket_category"]
    rows = rows.select(kept).rename_columns({"customer_id": "client", "applied_at": "asked_at", "order_id": "basket"})
    mood = pa.array([f"mood {number % 3}" for number in range(len(rows))])
    return rows.append_column("mood", mood).take(pa.array(range(len(rows) - 1, -1, -1)))


def joined_of(settings: PrepareSettings) -> pd.DataFrame:
    return pd.read_parquet(prepare(settings).result["path"])  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_features_are_those_of_the_marketplace_to_the_last_bit(suffix: str, workspace: Path, tmp_path: Path) -> None:
    write = pq.write_table if suffix == ".parquet" else pyarrow.csv.write_csv
    own = own_rows(workspace)
    write(own, tmp_path / f"own{suffix}")
    joined = joined_of(settings(workspace, path=str(tmp_path / f"own{suffix}"), columns=OWN))
    assert joined.columns[: len(own.column_names)].tolist() == own.column_names
    assert joined["mood"].tolist() == own["mood"].to_pylist()
    route = pds.dataset(workspace / "lake" / "marketplace" / "applications").to_table().to_pandas()
    names = [name for names in feature_columns(SHORT) for name in names if name not in own.column_names]
    expected = route.set_index(route["application_id"].astype(str)).loc[joined["application_id"].astype(str), names]
    pd.testing.assert_frame_equal(joined[names].reset_index(drop=True), expected[names].reset_index(drop=True))


def test_history_ends_the_lag_before_each_application(workspace: Path, tmp_path: Path) -> None:
    """Moved a day back, an application has the features that it had with a lag of one day."""
    own = own_rows(workspace).drop_columns(["basket"])
    day = pa.scalar(86_400_000_000, pa.duration("us"))
    earlier = own.set_column(own.column_names.index("asked_at"), "asked_at", pc.subtract(own["asked_at"], day))
    mapping = {name: OWN[name] for name in ("customer_id", "applied_at")}
    for name, rows in (("own", own), ("earlier", earlier)):
        pq.write_table(rows, tmp_path / f"{name}.parquet")
    lagged = joined_of(settings(workspace, lag=1, path=str(tmp_path / "own.parquet"), columns=mapping))
    moved = joined_of(settings(workspace, path=str(tmp_path / "earlier.parquet"), columns=mapping))
    names = [name for name in lagged if name.startswith(("orders_", "spent_", "mean_order"))]
    pd.testing.assert_frame_equal(lagged[names], moved[names])
    assert lagged["orders_180d"].sum() > 0


def test_customers_who_are_not_in_the_marketplace_have_empty_features(workspace: Path, tmp_path: Path) -> None:
    own = own_rows(workspace).slice(0, 20)
    clients = [None, 10**12, *own["client"].to_pylist()[2:]]
    own = own.set_column(own.column_names.index("client"), "client", pa.array(clients, pa.int64()))
    pq.write_table(own, tmp_path / "own.parquet")
    outcome = prepare(settings(workspace, path=str(tmp_path / "own.parquet"), columns=OWN))
    joined = pd.read_parquet(outcome.result["path"])  # type: ignore[arg-type]
    assert outcome.result["unknown_customers"] == 1
    assert outcome.result["quarantined"] == {"customer_id is missing": 1}
    assert joined["client"].tolist() == clients[1:]
    assert joined["orders_180d"].isna().tolist() == [True, *[False] * 18]
    assert any("1 are of customers who are not in the marketplace" in str(line) for line in outcome.summary)


def test_erased_people_are_left_out(workspace: Path, tmp_path: Path) -> None:
    own = own_rows(workspace).slice(0, 50)
    gone = own["client"].to_pylist()[0]
    pq.write_table(own, tmp_path / "own.parquet")
    other = replace(settings(workspace, path=str(tmp_path / "own.parquet"), columns=OWN), workspace=str(tmp_path / "w"))
    root = Workspace.at(str(tmp_path / "w"))
    identity = hashed(ensure_salt(root), Kind.customer, str(gone))
    entry = {"action": BEGUN, "customer": identity, "applications": [], "decisions": [], "by": "anna", "why": ""}
    Chain(root, "erasures").append(entry, after=0)
    outcome = prepare(other)
    joined = pd.read_parquet(outcome.result["path"])  # type: ignore[arg-type]
    assert gone not in set(joined["client"])
    assert outcome.result["erased"] == own["client"].to_pylist().count(gone)


def test_an_erasure_leaves_the_features_of_the_others_as_they_are(workspace: Path, tmp_path: Path) -> None:
    # given: a joined table in a workspace of its own
    own = own_rows(workspace).slice(0, 60)
    pq.write_table(own, tmp_path / "own.parquet")
    shared = settings(workspace, path=str(tmp_path / "own.parquet"), columns=OWN)
    alone = replace(shared, workspace=str(tmp_path / "w"))
    before = pd.read_parquet(prepare(alone).result["path"])  # type: ignore[arg-type]
    (folder,) = (tmp_path / "w" / "lake" / alone.name / "prepared_own").iterdir()
    made = {path: path.stat().st_mtime_ns for path in (folder / "features").iterdir()}
    # when: a person with some of the rows is erased, and the table is joined again
    gone = own["client"].to_pylist()[0]
    identity = hashed(ensure_salt(Workspace.at(str(tmp_path / "w"))), Kind.customer, str(gone))
    entry = {"action": BEGUN, "customer": identity, "applications": [], "decisions": [], "by": "anna", "why": ""}
    Chain(Workspace.at(str(tmp_path / "w")), "erasures").append(entry, after=0)
    outcome = prepare(alone)
    # then: nothing is computed anew, and the person is in no file
    after = pd.read_parquet(outcome.result["path"])  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(after, before[before["client"] != gone].reset_index(drop=True))
    assert outcome.result["erased"] == (before["client"] == gone).sum() > 0
    assert list(folder.parent.iterdir()) == [folder]
    changed = [path for path, moment in made.items() if path.stat().st_mtime_ns != moment]
    assert len(changed) == 1
    kept = pa.concat_tables([pq.read_table(path) for path in made])
    applications = pa.concat_tables(
        [pq.read_table(path, partitioning=None) for path in (folder / "_applications").rglob("*.parquet")]
    )
    assert len(kept) == len(applications) == len(after)
    # and: the same command again does nothing
    moment = (folder / "_joined.json").stat().st_mtime_ns
    assert prepare(alone).result == outcome.result
    assert (folder / "_joined.json").stat().st_mtime_ns == moment


def test_a_column_with_the_name_of_a_feature_is_refused(workspace: Path, tmp_path: Path) -> None:
    own = own_rows(workspace)
    pq.write_table(own.append_column("orders_30d", own["principal"]), tmp_path / "own.parquet")
    with pytest.raises(DataError, match="own_applications has a column 'orders_30d', which is the name of a feature"):
        prepare(settings(workspace, path=str(tmp_path / "own.parquet"), columns=OWN))


def test_applications_after_the_end_of_the_purchases_are_refused(workspace: Path, tmp_path: Path) -> None:
    own = own_rows(workspace).slice(0, 2)
    late = pa.array([pd.Timestamp("2030-01-01"), pd.Timestamp("2024-01-01")], pa.timestamp("us"))
    own = own.set_column(own.column_names.index("asked_at"), "asked_at", late)
    pq.write_table(own, tmp_path / "own.parquet")
    with pytest.raises(DataError, match="the latest applied_at of own_applications=2030-01-01 is more than"):
        prepare(settings(workspace, path=str(tmp_path / "own.parquet"), columns=OWN))


@pytest.mark.integration
def test_the_joined_table_is_tuned_as_any_table(
    workspace: Path, thinfile: Callable[..., Answer], tmp_path: Path
) -> None:
    rows = pds.dataset(workspace / "lake" / "marketplace" / "training").to_table(["application_id", "bad"])
    labels = dict(zip(*(rows[name].to_pylist() for name in ("application_id", "bad")), strict=True))
    own = own_rows(workspace).to_pandas()
    own["defaulted"] = own["application_id"].map(labels)
    own[own["defaulted"].notna()].astype({"defaulted": int}).to_csv(tmp_path / "own.csv", index=False)
    raw = [f"raw.folder={workspace / 'lake' / 'simulated'}", f"raw.tables.own_applications.path={tmp_path / 'own.csv'}"]
    columns = "raw.tables.own_applications.columns={customer_id: client, applied_at: asked_at, order_id: basket}"
    answer = thinfile("prepare", *raw, columns, "features=short", "threads=1", "output=json")
    assert answer.exit_code == 0, answer.stderr
    data = ["data=table", f"data.path={answer.json['path']}", "data.label=defaulted", "data.id=application_id"]
    tuned = thinfile("tune", *data, "data.time=asked_at", "candidate=scorecard", "trials=1", "output=json")
    assert tuned.exit_code == 0, tuned.stderr
