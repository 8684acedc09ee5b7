"""Decisions are copied to a folder or an address, completely, and by the same command again after a failure."""

from pathlib import Path

import fsspec
import pandas as pd
import pyarrow.dataset as pds
import pytest
from pyarrow.fs import FileType, LocalFileSystem

from pipelines.errors import ThinfileError
from pipelines.reading.locations import file_system_of
from tests.object_store import Bucket
from tests.pipelines.batch.conftest import Bench, applications, score_it, written

FOLDER = "model=credit_score/version=1/population=applications/period=2026-10"
COLUMNS = ["application_id", "decision", "pd"]


def logged(bench: Bench) -> pd.DataFrame:
    return bench.log.decisions(bench.key())[COLUMNS].sort_values("application_id", ignore_index=True)


def copied(paths: list[str]) -> pd.DataFrame:
    rows: pd.DataFrame = pds.dataset(paths).to_table(columns=COLUMNS).to_pandas()
    return rows.sort_values("application_id", ignore_index=True)


def test_a_folder_gets_the_decisions_of_the_input_alone(bench: Bench, tmp_path: Path, small_parts: None) -> None:
    table = applications(500)
    score_it(bench, input=str(written(table.tail(200), tmp_path / "earlier.parquet")))
    result = score_it(bench, input=str(written(table.head(300), tmp_path / "now.parquet")), decisions_to=str(tmp_path))
    assert result["decisions_to"] == str(tmp_path)
    files = [one for one in (tmp_path / FOLDER).iterdir() if one.name != "_SUCCESS"]
    assert (tmp_path / FOLDER / "_SUCCESS").exists()
    expected = logged(bench)
    expected = expected[expected["application_id"].isin(table.head(300)["application_id"])]
    pd.testing.assert_frame_equal(copied([str(one) for one in files]), expected.reset_index(drop=True))


def test_the_same_command_copies_after_a_failure_and_decides_nothing_again(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(written(applications(200), tmp_path / "now.parquet"))
    (tmp_path / "file").touch()
    with pytest.raises(ThinfileError, match=r"^decisions_to is '.*/file', which cannot be written .* in the score log"):
        score_it(bench, input=path, decisions_to=str(tmp_path / "file"))
    before = logged(bench)
    again = score_it(bench, input=path, decisions_to="memory://copies")
    assert (again["scored"], again["already_logged"]) == (0, 200)
    pd.testing.assert_frame_equal(logged(bench), before)
    system = fsspec.filesystem("memory")
    names = [Path(name).name for name in system.find(f"/copies/{FOLDER}")]
    assert "_SUCCESS" in names
    assert len(names) == 2
    system.store.clear()


@pytest.mark.parametrize("place", ["folder", "memory", "bucket"])
def test_while_a_later_input_is_copied_the_month_is_not_marked_as_complete(
    place: str, bench: Bench, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, address = applications(300), {"memory": "memory://later", "bucket": bucket.address}.get(place, str(tmp_path))
    score_it(bench, input=str(written(table.head(200), tmp_path / "first.parquet")), decisions_to=address)
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.batch.copies._write", _fails)
        with pytest.raises(ThinfileError, match="cannot be written"):
            score_it(bench, input=str(written(table, tmp_path / "all.parquet")), decisions_to=address)
    system, base = file_system_of(address) if place != "folder" else (LocalFileSystem(), str(tmp_path))
    marker = f"{base}/{FOLDER}/_SUCCESS"
    assert system.get_file_info(marker).type == FileType.NotFound
    score_it(bench, input=str(tmp_path / "all.parquet"), decisions_to=address)
    assert system.get_file_info(marker).type == FileType.File


def _fails(*_: object) -> None:
    raise OSError("the disk is full")


def test_a_bucket_gets_the_decisions(bench: Bench, bucket: Bucket, tmp_path: Path) -> None:
    path = str(written(applications(200), tmp_path / "now.parquet"))
    score_it(bench, input=path, decisions_to=f"{bucket.address}/my scores")
    listing = bucket.client.list_objects_v2(Bucket=bucket.name)["Contents"]
    keys = sorted(one["Key"] for one in listing)
    assert [key.rpartition("/")[0] for key in keys] == [f"my scores/{FOLDER}"] * 2
    (tmp_path / "copy.parquet").write_bytes(bucket.get(next(key for key in keys if key.endswith(".parquet"))))
    pd.testing.assert_frame_equal(copied([str(tmp_path / "copy.parquet")]), logged(bench))
