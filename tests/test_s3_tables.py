"""Verbs read tables from S3 as they read the same files on this machine, and a changed object is named."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from experiments.experiment.settings import TuneSettings
from experiments.replay.replay import replay
from experiments.replay.settings import ReplaySettings
from experiments.search.recorded_experiment import recorded_experiment
from experiments.search.run_record import RunRecord
from experiments.search.tune import tune
from monitoring.watch.external_tables import report_of_tables
from pipelines.applications.settings import DataSettings, Source
from pipelines.batch.score import score
from pipelines.book.prepare import prepare
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.command.verb import ExitCode
from pipelines.errors import DataError, RequestError
from pipelines.model_store.store import ModelStore
from pipelines.simulation.settings import SimulateSettings
from pipelines.simulation.simulate import simulate
from pipelines.storage.workspace import Workspace
from tests.monitoring.watch.test_external_tables import settings as watch_settings
from tests.monitoring.watch.test_external_tables import table as monitored
from tests.object_store import Bucket
from tests.pipelines.batch.conftest import Bench, applications, made, written
from tests.pipelines.batch.conftest import settings as score_settings
from tests.pipelines.book.test_prepare import asked as prepare_settings


@pytest.fixture
def parts(german_table: pd.DataFrame, tmp_path: Path) -> Path:
    """The German credit data in two parts."""
    folder = tmp_path / "german"
    folder.mkdir()
    german_table.head(600).to_csv(folder / "part-0.csv", index=False)
    german_table.tail(400).to_csv(folder / "part-1.csv", index=False)
    return folder


def tuned(path: str, workspace: Workspace) -> dict[str, Any]:
    data = DataSettings(source=Source.table, path=path, label="creditability", bad="bad")
    settings = TuneSettings(workspace=str(workspace.root), data=data, candidate=ScorecardSettings(), trials=1)
    return dict(tune(settings).result)


def test_a_study_of_an_address_is_that_of_its_files_and_a_changed_object_is_named(
    bucket: Bucket, parts: Path, workspace: Workspace, tmp_path: Path
) -> None:
    address = bucket.put(parts, "lake/my apps")
    here = tuned(str(parts), Workspace.at(str(tmp_path / "here")))
    there = tuned(address, workspace)
    same = ("study", "data_fingerprint", "cv_auc", "parameters")
    assert [there[name] for name in same] == [here[name] for name in same]
    record = RunRecord.read(ModelStore(workspace), there["run_id"])
    assert record.config["data"]["path"] == address
    assert [*record.data["files"]] == ["part-0.csv", "part-1.csv"]
    again = replay(ReplaySettings(workspace=str(workspace.root), run=there["run_id"]))
    assert again.exit_code is ExitCode.DONE

    changed = bucket.get("lake/my apps/part-1.csv").replace(b"good", b"bad", 1)
    bucket.client.put_object(Bucket=bucket.name, Key="lake/my apps/part-1.csv", Body=changed)
    other = replay(ReplaySettings(workspace=str(workspace.root), run=there["run_id"]))
    assert other.exit_code is ExitCode.ANSWER_IS_NO
    assert other.summary[1].startswith(f"  source {address}, file part-1.csv: ")
    assert not any("part-0.csv" in line for line in other.summary)
    with pytest.raises(RequestError, match=rf"^the data are not those of the study: source {address}, file part-1.csv"):
        recorded_experiment(record, str(workspace.root))


def test_objects_with_other_bytes_and_the_same_rows_are_the_same_data(
    bucket: Bucket, parts: Path, workspace: Workspace, german_table: pd.DataFrame, tmp_path: Path
) -> None:
    run = tuned(bucket.put(parts, "apps"), workspace)["run_id"]
    german_table.tail(400).to_csv(tmp_path / "again.csv", index=False, lineterminator="\r\n")
    bucket.put(tmp_path / "again.csv", "apps/part-1.csv")
    assert replay(ReplaySettings(workspace=str(workspace.root), run=run)).exit_code is ExitCode.DONE


def test_missing_buckets_and_servers_that_do_not_answer_are_named(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match=r"^data.path is 's3://no-such-bucket/a.csv', where there is no table"):
        tuned("s3://no-such-bucket/a.csv", Workspace.at(str(tmp_path / "workspace")))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nothing listens there
    with pytest.raises(DataError, match=r"^data.path is 's3://bucket/a.csv', which cannot be read") as raised:
        tuned("s3://bucket/a.csv", Workspace.at(str(tmp_path / "workspace")))
    assert "a-secret-of-the-tests" not in str(raised.value)


def test_a_batch_of_an_address_has_the_decisions_of_its_files_and_ends_once(bucket: Bucket, tmp_path: Path) -> None:
    table = applications(500)
    here, there = (made(tmp_path / name, "scorecard") for name in ("here", "there"))
    path = written(table, tmp_path / "october" / "part-0.parquet")
    address = bucket.put(path.parent, "october")

    def decided(bench: Bench, location: str) -> pd.DataFrame:
        score(score_settings(bench, input=location, time=None))
        rows = bench.log.decisions(bench.key()).sort_values("application_id", ignore_index=True)
        return rows[["application_id", "pd", "points", "decision", "input_fingerprint"]]

    expected = decided(here, str(path.parent))
    pd.testing.assert_frame_equal(decided(there, address), expected)
    pd.testing.assert_frame_equal(decided(there, address), expected)
    assert not [one for one in there.workspace.root.rglob(".scratch*") if one.is_dir()]


def test_a_report_of_addresses_is_that_of_the_files(bucket: Bucket, tmp_path: Path) -> None:
    settings = watch_settings(tmp_path, monitored(3000, 1), monitored(3000, 2))
    expected, _ = report_of_tables(settings)
    settings.input = bucket.put(Path(str(settings.input)), "now.parquet")
    settings.reference_input = bucket.put(Path(str(settings.reference_input)), "before.parquet")
    report, _ = report_of_tables(settings)
    assert (report.verdict, report.sentence) == (expected.verdict, expected.sentence)


def test_a_marketplace_at_an_address_is_prepared_as_its_files_are(bucket: Bucket, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    simulate(SimulateSettings(workspace=str(here), customers=1_000, threads=1))
    expected = prepare(prepare_settings(here)).result
    raw = here / "lake" / "simulated"
    settings = prepare_settings(there)
    settings.raw.folder = bucket.put(raw, "raw")
    settings.raw.tables.orders.path = bucket.put(raw / "orders", "elsewhere/purchases")
    bucket.remove("raw/orders")
    prepared = prepare(settings).result
    assert prepared["rows"] == expected["rows"]
    manifests = [json.loads((one / "lake" / "marketplace" / "manifest.json").read_text()) for one in (here, there)]
    assert manifests[1]["training_fingerprint"] == manifests[0]["training_fingerprint"]
    assert [one["tables"]["orders"]["fingerprint"] for one in manifests] == [
        manifests[0]["tables"]["orders"]["fingerprint"]
    ] * 2
    assert manifests[1]["configuration"]["raw"]["folder"] == f"{bucket.address}/raw"
    assert not [one for one in there.rglob(".scratch*") if one.is_dir()]
    assert prepare(settings).result == prepared  # the intake of the same bytes is reused
