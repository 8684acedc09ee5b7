"""`thinfile prepare population=book`: every customer once, nothing made twice, refused where nothing is known."""

import json
import re
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pds
import pyarrow.parquet as pq
import pytest

import thinfile
from pipelines.book.lookup import BookFeatures, CustomerRows, UnknownCustomerError
from pipelines.book.prepare import prepare
from pipelines.book.removal import remove_customer
from pipelines.credit.population import Population
from pipelines.errors import ConfigurationError, DataError
from pipelines.features.settings import FeatureSettings, What
from pipelines.marketplace.settings import PrepareSettings, RawSettings, ReferenceLoan
from pipelines.simulation.settings import SimulateSettings
from pipelines.simulation.simulate import simulate
from tests.pipelines.book.askers import asked

SHORT = FeatureSettings(what=[What.frequency, What.application], windows=[30, 180])


def book(workspace: Path, observed_at: str | None = "2024-10-01", lag: int = 0, **changes: Any) -> PrepareSettings:
    usual: dict[str, Any] = {"population": Population.book, "observed_at": observed_at, "features": SHORT}
    return asked(workspace, lag, **usual | changes)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a small simulated marketplace, and its book of October 2024 in several buckets."""
    root = tmp_path_factory.mktemp("books")
    simulate(SimulateSettings(workspace=str(root), customers=1_000, threads=1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.book.prepare.BYTES_A_BUCKET", 150_000)
        prepare(book(root))
    return root


@pytest.fixture
def copied(workspace: Path, tmp_path: Path) -> Path:
    """A workspace of one's own."""
    shutil.copytree(workspace, tmp_path / "workspace", symlinks=True)
    return tmp_path / "workspace"


def folder_of(workspace: Path, name: str = "2024-10-01") -> Path:
    return workspace / "lake" / "marketplace" / "book" / name


def content(folder: Path) -> dict[str, bytes]:
    """Return the bytes of what a book is made of; its manifest says when and by what it was made."""
    files = [path for path in folder.resolve().rglob("*") if path.is_file() and path.suffix != ".json"]
    return {str(path.relative_to(folder.resolve())): path.read_bytes() for path in files}


def test_every_customer_registered_before_is_there_once(workspace: Path) -> None:
    told = prepare(book(workspace)).result
    rows = pds.dataset(told["book"]).to_table()
    everyone = pds.dataset(workspace / "lake" / "simulated" / "customers").to_table()
    noon = datetime(2024, 10, 1, 12)  # the reference loan's hour, on the clocks that the raw times were written by
    before = everyone.filter(pc.less(everyone["registered_at"], pa.scalar(noon, pa.timestamp("us"))))
    assert sorted(rows["customer_id"].to_pylist()) == sorted(before["customer_id"].to_pylist())
    assert len(rows) == told["customers"]
    assert 0 < len(rows) < len(everyone)
    assert set(rows["observed_at"].to_pylist()) == {noon}
    assert set(rows["principal"].to_pylist()) == {ReferenceLoan().amount}
    assert not {"bad", "status", "decision"} & set(rows.column_names)
    assert {"sex", "age_band"} <= set(rows.column_names)
    assert len(list(Path(str(told["book"])).glob("*.parquet"))) > 2


def test_the_same_book_has_the_same_bytes_and_a_killed_one_is_continued(copied: Path) -> None:
    before = content(folder_of(copied))
    made = folder_of(copied).resolve()
    (made / "_book.json").unlink()
    (made / "_index.npy").unlink()
    (made / "bucket-00001.parquet").unlink()
    (made / "_rows" / "bucket-00001.arrow").write_bytes(b"half")
    kept = made / "bucket-00000.parquet"
    moment = kept.stat().st_mtime_ns
    prepare(book(copied))
    assert content(folder_of(copied)) == before
    assert kept.stat().st_mtime_ns == moment
    shutil.rmtree(copied / "lake" / "marketplace" / "prepared_books")
    prepare(book(copied, threads=2))
    assert content(folder_of(copied)) == before


def test_books_of_several_moments_stay_and_of_one_moment_the_last_two(copied: Path) -> None:
    first = folder_of(copied).resolve()
    prepare(book(copied, "2024-09-01T08:30+02:00"))
    assert BookFeatures(folder_of(copied, "2024-09-01T063000")).serves_until.isoformat() == "2024-09-01T06:30:00"
    made = [prepare(book(copied, reference=ReferenceLoan(amount))).result["identity"] for amount in (1, 2, 3)]
    folders = {path.name for path in (copied / "lake" / "marketplace" / "prepared_books").iterdir()}
    other = folder_of(copied, "2024-09-01T063000").resolve().name
    assert folders == {other, made[1], made[2]}
    assert first.name not in folders
    assert folder_of(copied).resolve().name == made[2]


def test_a_training_table_and_a_book_stand_side_by_side(copied: Path) -> None:
    before = content(folder_of(copied))
    for windows in ([30], [60], [90]):
        prepare(asked(copied, features=FeatureSettings(what=[What.frequency], windows=windows)))
    assert content(folder_of(copied)) == before


def test_a_lake_may_be_moved(workspace: Path, tmp_path: Path) -> None:
    shutil.copytree(workspace, tmp_path / "elsewhere", symlinks=True)
    assert len(BookFeatures(folder_of(tmp_path / "elsewhere"))) == len(BookFeatures(folder_of(workspace)))


def test_who_is_removed_is_gone_from_every_file_and_the_others_are_found(copied: Path) -> None:
    folder = folder_of(copied).resolve()
    ids = pds.dataset(folder).to_table(["customer_id"])["customer_id"].to_pylist()
    values = {one: CustomerRows(folder).find(one) for one in ids}
    assert remove_customer(folder, ids[3]) == 1
    assert remove_customer(folder, ids[3]) == 0
    found = CustomerRows(folder)
    assert {one: repr(found.find(one)) for one in ids} == {
        one: repr(values[one] if one != ids[3] else None) for one in ids
    }
    assert ids[3] not in pds.dataset(folder).to_table(["customer_id"])["customer_id"].to_pylist()
    opened = BookFeatures(folder)
    with pytest.raises(UnknownCustomerError):
        opened.of(ids[3], 100, 3, opened.serves_until)
    assert len(opened) == len(ids) - 1


def test_rows_that_moved_are_not_taken_for_another_s(copied: Path) -> None:
    folder = folder_of(copied).resolve()
    first, second = sorted(folder.glob("_rows/*.arrow"))[:2]
    shutil.copy(first, second)
    someone = pq.read_table(folder / f"{second.stem}.parquet")["customer_id"][0].as_py()
    with pytest.raises(DataError, match="does not match its index"):
        CustomerRows(folder).find(someone)


def test_a_removal_that_was_killed_is_finished(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of(copied).resolve()
    ids = pds.dataset(folder).to_table(["customer_id"])["customer_id"].to_pylist()
    for killed_at in ("renew_rows", "write_index"):
        gone, ids = ids[0], ids[1:]
        with monkeypatch.context() as patch:
            patch.setattr(f"pipelines.book.removal.{killed_at}", None)
            with pytest.raises(TypeError):
                remove_customer(folder, gone)
        remove_customer(folder, gone)
        found = CustomerRows(folder)
        assert found.find(gone) is None
        assert all(found.find(one) for one in ids)


def test_who_is_removed_is_gone_from_a_book_that_was_not_finished(copied: Path) -> None:
    folder = folder_of(copied).resolve()
    (folder / "_index.npy").unlink()
    (folder / "_book.json").unlink()
    assert remove_customer(folder, 7) == 1
    assert prepare(book(copied)).result["customers"] == len(CustomerRows(folder))
    assert CustomerRows(folder).find(7) is None


def test_the_command_needs_no_as_of_date_for_a_book(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [f"workspace={workspace}", "population=book", "features=short", "output=json", "threads=1"]
    assert thinfile.main(["prepare", *words, "observed_at=2024-10-01", "reference.term=12", "name=by_command"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["observed_at"], told["reference"]["term"]) == ("2024-10-01T12:00:00", 12)
    assert told["book"] == str(workspace / "lake" / "by_command" / "book" / "2024-10-01")
    assert thinfile.main(["prepare", *words]) == 2
    assert "observed_at is not set" in json.loads(capsys.readouterr().out)["error"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"observed_at": None}, "observed_at is not set, .*; add for example observed_at=2026-10-01"),
        ({"observed_at": "October"}, "observed_at is 'October'; write an ISO date or time"),
        ({"reference": ReferenceLoan(0)}, "reference.amount is 0; use minor units, above 0"),
        ({"reference": ReferenceLoan(10, 5)}, "reference.term is one of 3, 6, 12, 24 months, received 5"),
        ({"reference": ReferenceLoan(hour=24)}, r"reference.hour is 24; set 0 to 23 \(12 is noon\)"),
        (
            {"population": Population.applications},
            "observed_at=2024-10-01 is only for a book; leave it out, or add population=",
        ),
        ({"lag": -1}, "loan.feature_lag_days must be at least 0, received -1"),
    ],
)
def test_what_cannot_be_observed_is_refused(changes: dict[str, Any], message: str, workspace: Path) -> None:
    with pytest.raises(ConfigurationError, match=message):
        prepare(book(workspace, **changes))


def test_a_book_is_not_observed_after_what_the_tables_know(copied: Path) -> None:
    told = (
        r"observed_at=2030-01-01 is more than 7 days and the feature lag of 10 days after the end of the tables "
        r"\(the l.* is from .*\), .*; use observed_at=(\S+) or provide later tables"
    )
    with pytest.raises(DataError, match=told) as refused:
        prepare(book(copied, "2030-01-01", lag=10))
    proposed = re.findall(told, str(refused.value))[0]
    assert prepare(book(copied, proposed, lag=10)).result["customers"] == 1_000


def test_before_anybody_registered_there_is_no_book(copied: Path) -> None:
    with pytest.raises(
        DataError,
        match=r"no customer was registered before observed_at .1999-01-01 .*; raise observed_at or check the times of",
    ):
        prepare(book(copied, "1999-01-01"))


def test_ids_may_be_text(workspace: Path, tmp_path: Path) -> None:
    raw = tmp_path / "lake" / "simulated"
    shutil.copytree(workspace / "lake" / "simulated", raw)
    for path in [*raw.glob("customers/*.parquet"), *raw.glob("orders/*.parquet"), *raw.glob("applications/*.parquet")]:
        rows = pq.read_table(path)
        spelt = pc.binary_join_element_wise("né-", rows["customer_id"].cast(pa.string()), "")
        pq.write_table(rows.set_column(rows.column_names.index("customer_id"), "customer_id", spelt), path)
    prepare(book(tmp_path))
    numbered, spelt = BookFeatures(folder_of(workspace)), BookFeatures(folder_of(tmp_path))
    at = numbered.serves_until
    assert len(spelt) == len(numbered)
    for one in pds.dataset(folder_of(workspace)).to_table(["customer_id"])["customer_id"].to_pylist()[:50]:
        assert repr(spelt.of(f"né-{one}", 700, 6, at)) == repr(numbered.of(one, 700, 6, at))
    with pytest.raises(UnknownCustomerError):
        spelt.of(1, 700, 6, at)
    assert remove_customer(folder_of(tmp_path).resolve(), f"né-{one}") == 1


def test_a_book_of_customers_and_orders_alone_has_the_features_of_orders(workspace: Path, tmp_path: Path) -> None:
    for table in ("customers", "orders"):
        shutil.copytree(workspace / "lake" / "simulated" / table, tmp_path / "raw" / table)
    raw = RawSettings(folder=str(tmp_path / "raw"), time_zone="UTC")
    prepare(book(tmp_path / "own", raw=raw))
    tables = [pds.dataset(folder_of(one)).to_table().sort_by("customer_id") for one in (workspace, tmp_path / "own")]
    pd.testing.assert_frame_equal(*(table.to_pandas() for table in tables))


@pytest.mark.parametrize(("observed_at", "is_refused"), [("2024-05-01", False), ("2024-05-08", True)])
def test_without_loans_a_book_may_be_observed_a_pause_after_the_last_order(
    observed_at: str, is_refused: bool, tmp_path: Path
) -> None:
    """The longest pause between two orders is the one from 5 February to 7 March: 31 days."""
    (tmp_path / "customers.csv").write_text("customer_id,registered_at\n1,2024-01-01\n")
    lines = [
        f"{number},1,{day},1000" for number, day in enumerate(("2024-01-06", "2024-02-05", "2024-03-07", "2024-04-06"))
    ]
    (tmp_path / "orders.csv").write_text("\n".join(["order_id,customer_id,ordered_at,amount", *lines]))
    settings = book(tmp_path / "own", observed_at, raw=RawSettings(folder=str(tmp_path), time_zone="UTC"))
    if is_refused:
        with pytest.raises(DataError, match=r"more than 31 days after the end of the tables .*2024-04-06"):
            prepare(settings)
    else:
        assert prepare(settings).result["customers"] == 1
