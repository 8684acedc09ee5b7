"""Parts of a Parquet input give the log of the whole table, once, whatever stops the work on the way."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.applications.settings import Source
from pipelines.batch import part as part_module
from pipelines.batch.score import score
from pipelines.batch.settings import ReasonsFor
from pipelines.credit.population import Population
from pipelines.erasure.erase import erase
from pipelines.erasure.settings import EraseSettings
from pipelines.errors import ConfigurationError, DataError, RequestError, ThinfileError
from pipelines.policy.pack import PolicySettings, ReasonSettings
from pipelines.score_log.columns import row_schema
from pipelines.scoring.reasons import notice
from pipelines.storage import parquet_parts
from tests.pipelines.batch.conftest import Bench, applications, made, score_it, settings, written
from tests.pipelines.candidates.test_conformance import CATEGORICAL, NUMERIC, OWN_FAMILIES

pytestmark = pytest.mark.usefixtures("small_parts")

CHANGES = ["decided_at", "input_fingerprint"]


def decided(bench: Bench, period: str = "2026-10", population: Population = Population.applications) -> pd.DataFrame:
    return bench.log.decisions(bench.key(period, population)).drop(columns=CHANGES)


@pytest.mark.parametrize("family", OWN_FAMILIES)
@pytest.mark.integration
def test_parts_say_what_the_whole_table_says(family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench, table = made(tmp_path, family), applications(600)
    path = written(table, tmp_path / "table.parquet")
    streamed = score_it(bench, input=str(path), protected=["sex"])
    found, features = decided(bench), bench.log.features(bench.key())
    assert len(bench.log.partitions(bench.key())) == 6
    shutil.rmtree(bench.workspace.score_log)
    monkeypatch.setattr(parquet_parts, "LEAST_ROWS", 100_000)
    monkeypatch.setattr(parquet_parts, "MOST_ROWS", 250_000)
    whole = score_it(bench, path=str(path), protected=["sex"])
    assert len(bench.log.partitions(bench.key())) == 1
    assert found["customer_id"].notna().all()
    pd.testing.assert_frame_equal(found, decided(bench))
    np.testing.assert_array_equal(
        found.set_index("application_id").loc[table["application_id"], "pd"], bench.predictor.probability_of_bad(table)
    )
    assert streamed | {"mean_pd": 0} == whole | {"mean_pd": 0}
    assert streamed["mean_pd"] == pytest.approx(whole["mean_pd"], rel=1e-12)
    columns = ["decision_id", *NUMERIC, *CATEGORICAL]
    pd.testing.assert_frame_equal(features[columns], bench.log.features(bench.key())[columns], check_dtype=False)
    assert list(found.columns) == [name for name in row_schema().names if name not in CHANGES]


def test_groups_of_any_size_give_the_same_log(bench: Bench, tmp_path: Path) -> None:
    table = applications(1000)
    for number, group in enumerate((37, 100, 1000), start=1):
        path = written(table, tmp_path / f"{group}" / "table.parquet", group)
        told = score_it(bench, input=str(path.parent), period=f"2026-{number:02d}")
        assert (told["rows_in"], told["scored"]) == (1000, 1000)
        assert len(bench.log.partitions(bench.key(f"2026-{number:02d}"))) >= 4
    logs = [decided(bench, f"2026-0{number}").sort_values("application_id") for number in (1, 2, 3)]
    columns = ["application_id", "raw_score", "pd", "points", "band", "decision", "customer_id"]
    for log in logs[1:]:
        pd.testing.assert_frame_equal(log[columns].reset_index(drop=True), logs[0][columns].reset_index(drop=True))


def test_a_second_run_has_nothing_to_do_and_new_files_are_added(bench: Bench, tmp_path: Path) -> None:
    table = applications(600)
    written(table[:400], tmp_path / "in" / "a.parquet")
    first = score_it(bench, input=str(tmp_path / "in"))
    files = {path: path.stat().st_mtime_ns for path in bench.workspace.score_log.rglob("*.parquet")}
    again = score_it(bench, input=str(tmp_path / "in"))
    written(table[400:], tmp_path / "in" / "b.parquet")
    grown = score_it(bench, input=str(tmp_path / "in"))
    assert [(told["scored"], told["already_logged"]) for told in (first, again, grown)] == [
        (400, 0),
        (0, 400),
        (200, 400),
    ]
    assert {path: path.stat().st_mtime_ns for path in files} == files
    # the same rows in another file, grown by some, are not scored twice
    written(applications(700), tmp_path / "other" / "c.parquet", 130)
    other = score_it(bench, input=str(tmp_path / "other"))
    assert (other["scored"], other["already_logged"], other["rows_in"]) == (100, 600, 700)
    assert len(decided(bench)) == decided(bench)["application_id"].nunique() == 700


def test_a_run_that_was_killed_is_finished_by_the_same_command(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(applications(600), tmp_path / "table.parquet")
    left = [3]
    original = part_module._quarantine

    def dies(*arguments: Any) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        original(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(part_module, "_quarantine", dies)
        with pytest.raises(KeyboardInterrupt):
            score_it(bench, input=str(path))
    assert 0 < len(decided(bench)) < 600
    told = score_it(bench, input=str(path))
    assert told["scored"] + told["already_logged"] == 600 == len(decided(bench))
    log = bench.log.decisions(bench.key())
    assert log["decided_at"].nunique() == 1  # the batch decided when it was opened
    manifest = json.loads(next((bench.workspace.score_log / "manifests").rglob("*.json")).read_text())
    assert (manifest["closed"], manifest["rows"], manifest["scored"]) == (True, 600, 600)
    assert not list(bench.workspace.score_log.rglob("*.npy"))


def test_rows_that_break_the_contract_are_set_aside_with_the_rule(bench: Bench, tmp_path: Path) -> None:
    table = applications(600)
    table.loc[3, "income"] = np.inf
    table.loc[250, "income"] = -np.inf
    table.loc[7, "application_id"] = None
    table.loc[9, "application_id"] = "a00008"  # the row before, in the same part
    table.loc[500, "application_id"] = "a00100"  # in another part
    table["tenure"] = table["tenure"].astype(object).map(str)
    table.loc[11, "tenure"] = "long"
    told = score_it(bench, input=str(written(table, tmp_path / "table.parquet")))
    assert told["quarantined"] == {
        "'application_id' repeats": 2,
        "'income' is infinite": 2,
        "'application_id' is missing": 1,
        "'tenure' is not a number": 1,
    }
    assert (told["rows_in"], told["scored"]) == (600, 594)
    log = decided(bench)
    assert len(log) == log["application_id"].nunique() == 594
    rows = pd.concat(pd.read_parquet(path) for path in bench.workspace.quarantine.glob("*.parquet"))
    assert rows["broken_rule"].value_counts().to_dict() == told["quarantined"]
    # of rows that share an id the first one in the order of the input is decided
    sound = table.assign(tenure=pd.to_numeric(table["tenure"], errors="coerce")).replace([np.inf, -np.inf], np.nan)
    expected = bench.predictor.probability_of_bad(sound)
    assert log.set_index("application_id").loc["a00100", "pd"] == expected[100]
    assert score_it(bench, input=str(tmp_path / "table.parquet"))["quarantined"] == told["quarantined"]


def test_more_broken_rows_than_may_be_stop_the_run(bench: Bench, tmp_path: Path) -> None:
    table = applications(600)
    table.loc[:200, "income"] = np.inf
    with pytest.raises(DataError, match=r"\d+ of 600 rows break the contract so far, more than .*=0.1"):
        score_it(bench, input=str(written(table, tmp_path / "table.parquet")))


def test_of_a_table_in_one_part_nothing_is_logged_where_too_many_rows_are_broken(bench: Bench, tmp_path: Path) -> None:
    table = applications(90)
    table.loc[:10, "income"] = np.inf
    table.to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(DataError, match="11 of 90 rows break the contract so far"):
        score_it(bench, path=str(tmp_path / "table.csv"))
    assert decided(bench).empty


def test_a_csv_file_is_scored_as_the_same_table_in_parquet(bench: Bench, tmp_path: Path) -> None:
    table = applications(300).assign(application_id=[f"{row:07d}" for row in range(300)])
    table.to_csv(tmp_path / "table.csv", index=False)
    score_it(bench, input=str(written(table, tmp_path / "table.parquet")), period="2026-09")
    told = score_it(bench, path=str(tmp_path / "table.csv"), segments=["region"])
    assert (told["rows_in"], told["scored"], told["quarantined"]) == (300, 300, {})
    columns = ["application_id", "points", "band", "decision", "customer_id"]
    csv, parquet = (decided(bench, period).sort_values("application_id")[columns] for period in ("2026-10", "2026-09"))
    pd.testing.assert_frame_equal(csv.reset_index(drop=True), parquet.reset_index(drop=True))
    again = score_it(bench, path=str(tmp_path / "table.csv"))
    assert (again["scored"], again["already_logged"]) == (0, 300)


def test_of_a_table_with_times_the_periods_own_rows_are_scored(bench: Bench, tmp_path: Path) -> None:
    table = applications(600).assign(asked=pd.date_range("2026-09-20", periods=600, freq="h"))
    path = str(written(table, tmp_path / "table.parquet"))
    told = score_it(bench, input=path, time="asked")
    expected = (table["asked"].dt.strftime("%Y-%m") == "2026-10").sum()
    assert (told["scored"], told["other_periods"]) == (expected, 600 - expected)
    with pytest.raises(DataError, match=r"no application was made in 2027-01 \(2026-09 to 2026-10\)"):
        score_it(bench, input=path, time="asked", period="2027-01")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="income"), r"has other columns than '.*a.parquet' \(-income\); give all"),
        (lambda table: table.assign(income=pd.Timestamp("2026-01-01")), "column 'income' of .* must hold numbers"),
        (lambda table: table.assign(city=[["x"]] * len(table)), "column 'city' of .* must hold a plain value per row"),
    ],
)
def test_a_file_that_does_not_fit_is_told_before_anything_is_scored(
    change: Any, message: str, bench: Bench, tmp_path: Path
) -> None:
    written(applications(200), tmp_path / "in" / "a.parquet")
    written(change(applications(200)), tmp_path / "in" / "b.parquet")
    with pytest.raises(DataError, match=message):
        score_it(bench, input=str(tmp_path / "in"))
    assert not list(bench.workspace.score_log.rglob("*.parquet"))


def test_the_same_rows_under_other_ids_are_refused(bench: Bench, tmp_path: Path) -> None:
    path = str(written(applications(300).assign(other=[f"x{row}" for row in range(300)]), tmp_path / "table.parquet"))
    score_it(bench, input=path)
    with pytest.raises(DataError, match="logged for the period under the ids of 'application_id'"):
        score_it(bench, input=path, id="other")


def test_a_book_has_its_customers_as_ids_and_no_reasons(bench: Bench, tmp_path: Path) -> None:
    table = applications(300).drop(columns=["application_id", "customer_id"]).assign(customer_id=range(300))
    path = str(written(table, tmp_path / "table.parquet"))
    told = score_it(bench, input=path, population=Population.book, id=None)
    rows = decided(bench, population=Population.book)
    assert (told["scored"], told["population"], told["reasons"]) == (300, "book", {})
    assert (rows["customer_id"] == rows["application_id"]).all()
    assert rows["reasons"].isna().all()
    told = score_it(
        bench, input=path, population=Population.book, id=None, period="2026-11", reasons_for=ReasonsFor.declined
    )
    rows = decided(bench, "2026-11", Population.book)
    assert rows.loc[rows["decision"] == "declined", "reasons"].map(len).max() > 0
    assert sum(told["reasons"].values()) > 0


def test_a_marketplaces_book_is_told_by_its_customers_whatever_is_said_of_applications(
    bench: Bench, tmp_path: Path
) -> None:
    table = applications(300).drop(columns=["application_id", "customer_id"]).assign(customer_id=range(300))
    path = str(written(table, tmp_path / "table.parquet"))
    of_applications = {"id": "application_id", "time": "applied_at", "customer": "customer_id", "protected": ["sex"]}
    told = score_it(bench, input=path, population=Population.book, source=Source.marketplace, **of_applications)
    assert told["scored"] == 300
    with pytest.raises(ConfigurationError, match="which is never kept beside decisions"):
        score_it(
            bench,
            input=path,
            population=Population.book,
            source=Source.marketplace,
            **of_applications,
            segments=["sex"],
        )


def test_an_input_that_is_not_there_is_told(bench: Bench) -> None:
    with pytest.raises(RequestError, match="input '/nowhere' does not exist"):
        score_it(bench, input="/nowhere")


@pytest.mark.parametrize("named", ["input", "path"])
def test_notices_are_written_for_the_declined_as_the_policy_pack_says(named: str, bench: Bench, tmp_path: Path) -> None:
    pack = ReasonSettings(opening="We could not approve this because of:", notice="You may ask for a person.")
    path = str(written(applications(300), tmp_path / "table.parquet"))
    score_it(bench, notices=True, policy=PolicySettings(reasons=pack), **{named: path})
    files = (bench.workspace.score_log / "notices").rglob("*.parquet")
    told = pd.concat(pd.read_parquet(file) for file in files).set_index("decision_id")["notice"]
    declined = decided(bench).query("decision == 'declined'").set_index("decision_id")["reasons"]
    assert set(told.index) == set(declined.index)
    assert {one: told[one] == "\n".join(notice(words, pack)) for one, words in declined.items()} == dict.fromkeys(
        declined.index, True
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({}, "policy 'default' has no text for a notice; set policy.reasons.opening"),
        ({"reasons_for": ReasonsFor.nobody}, "no application gets reasons, which a notice lists"),
        ({"population": Population.book}, "no application gets reasons, which a notice lists"),
    ],
)
def test_notices_without_a_text_are_refused(
    changed: dict[str, Any], message: str, bench: Bench, tmp_path: Path
) -> None:
    path = str(written(applications(100), tmp_path / "table.parquet"))
    with pytest.raises(ConfigurationError, match=message):
        score_it(bench, input=path, notices=True, **changed)
    assert not (bench.workspace.score_log / "notices").exists()


def test_no_file_of_notices_is_written_where_no_application_is_declined(bench: Bench, tmp_path: Path) -> None:
    everyone = PolicySettings(approve_from=350, reasons=ReasonSettings(opening="Declined because of:"))
    path = str(written(applications(100), tmp_path / "table.parquet"))
    score_it(bench, input=path, notices=True, policy=everyone)
    assert len(decided(bench)) == 100
    assert not list((bench.workspace.score_log / "notices").rglob("*.parquet"))


def test_of_a_large_table_a_sample_of_the_features_is_kept(bench: Bench, tmp_path: Path) -> None:
    score_it(bench, input=str(written(applications(1000), tmp_path / "table.parquet")), features_kept=200)
    features, rows = bench.log.features(bench.key()), decided(bench)
    assert 120 < len(features) < 280
    assert set(features["decision_id"]) == set(rows["decision_id"][: len(features)])  # first in the order of the ids
    kept, left_out = rows["decision_id"].iloc[0], rows["decision_id"].iloc[-1]
    logged = bench.log.find(kept)
    assert logged is not None
    assert len(logged.features) == 1
    with pytest.raises(ThinfileError, match=rf"'{left_out}' were not kept: .* a sample is \(20.00%\)"):
        bench.log.find(left_out)


def test_types_of_any_writer_are_read_as_a_frame_is(bench: Bench, tmp_path: Path) -> None:
    table = applications(300)
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    numbers = {"income": pa.float32(), "constant": pa.int8(), "tenure": pa.decimal128(10, 2)}
    for name, kind in numbers.items():
        arrow = arrow.set_column(arrow.schema.get_field_index(name), name, arrow[name].cast(kind))
    for name in CATEGORICAL:
        arrow = arrow.set_column(arrow.schema.get_field_index(name), name, arrow[name].dictionary_encode())
    pq.write_table(arrow, tmp_path / "table.parquet", row_group_size=100)
    score_it(bench, input=str(tmp_path / "table.parquet"))
    expected = bench.predictor.probability_of_bad(table.assign(income=table["income"].astype(np.float32)))
    found = decided(bench).set_index("application_id").loc[table["application_id"]]
    np.testing.assert_array_equal(found["pd"], expected)


def test_a_protected_attribute_is_no_segment(bench: Bench, tmp_path: Path) -> None:
    path = str(written(applications(100), tmp_path / "table.parquet"))
    with pytest.raises(ConfigurationError, match=r"data\.segments names .sex., a protected"):
        score_it(bench, input=path, protected=["sex"], segments=["sex"])


@pytest.mark.integration
def test_a_pool_of_processes_gives_the_same_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.batch.score.ONE_PROCESS", 100)
    bench, path = made(tmp_path, "scorecard"), str(written(applications(600), tmp_path / "table.parquet"))
    score_it(bench, input=path, threads=1)
    in_this_process = decided(bench)
    shutil.rmtree(bench.workspace.score_log)
    score_it(bench, input=path, threads=2)
    pd.testing.assert_frame_equal(in_this_process, decided(bench))


def test_who_was_erased_does_not_come_back(tmp_path: Path) -> None:
    bench, table = made(tmp_path, "scorecard"), applications(300)
    path = str(written(table, tmp_path / "table.parquet"))
    score_it(bench, input=path)
    theirs = table.loc[table["customer_id"] == "c3", "application_id"]
    erase(EraseSettings(workspace=str(bench.workspace.root), customer="c3", why="asked for it"))
    assert set(decided(bench)["application_id"]) == set(table["application_id"]) - set(theirs)
    assert score_it(bench, input=path)["scored"] == 0
    told = score_it(bench, input=path, period="2026-11")
    assert (told["erased"], told["scored"], told["rows_in"]) == (len(theirs), 300 - len(theirs), 300)
    assert not decided(bench, "2026-11")["application_id"].isin(theirs).any()


def test_the_summary_gives_shares_of_all_reasons(bench: Bench, tmp_path: Path) -> None:
    path = str(written(applications(300), tmp_path / "table.parquet"))
    outcome = score(settings(bench, input=path))
    reasons: dict[str, int] = outcome.result["reasons"]  # type: ignore[assignment]
    (line,) = (line for line in outcome.summary if "reasons given" in line)
    shares = [int(share) for share in re.findall(r"\((\d+)%\)", line)]
    assert shares == [round(100 * times / sum(reasons.values())) for times in list(reasons.values())[: len(shares)]]
    assert sum(shares) <= 101
