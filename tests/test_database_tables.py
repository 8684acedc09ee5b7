"""Verbs read tables from PostgreSQL as they read the same rows from files; passwords are in no file and no output."""

import json
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import create_engine, text

from pipelines.book.prepare import prepare
from pipelines.errors import DataError
from pipelines.simulation.settings import SimulateSettings
from pipelines.simulation.simulate import simulate
from tests.pipelines.batch.conftest import applications, made, written
from tests.pipelines.book.test_prepare import asked as prepare_settings
from tests.postgresql import fresh_database
from thinfile import main

PASSWORD = "hunter2-of-the-tests"
ROLES = ("data.label=creditability", "data.bad=bad")
QUERY = "data.query='select * from credit order by number'"
FROM_DATABASE = ("data=table", "data.database=${oc.env:SCORES}", "data.ignored=[number]", *ROLES)


@pytest.fixture
def database(postgresql: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty database; the variable SCORES has it with a password."""
    address = fresh_database(postgresql)
    monkeypatch.setenv("SCORES", address.replace("postgres@", f"postgres:{PASSWORD}@"))
    return address


def write(database: str, name: str, table: pd.DataFrame) -> None:
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"))
    table.to_sql(name, engine, if_exists="replace", index=False)
    engine.dispose()


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    """Run a command in this process, and return its JSON and its exit code."""
    capsys.readouterr()
    exit_code = main([*words, "output=json"])
    out, err = capsys.readouterr()
    assert PASSWORD not in out + err
    return {"exit_code": exit_code} | (json.loads(out) if out.strip() else {"error": err})


def test_a_study_of_a_query_is_replayed_and_a_changed_table_is_named(
    database: str, german_table: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = german_table.assign(number=range(len(german_table)))
    write(database, "credit", table)
    table.to_parquet(tmp_path / "credit.parquet", index=False)
    workspace = f"workspace={tmp_path / 'workspace'}"
    tuned = answer(capsys, "tune", workspace, *FROM_DATABASE, QUERY, "trials=1", "candidate=scorecard")
    of_file = (f"data.path={tmp_path / 'credit.parquet'}", *FROM_DATABASE[:1], *FROM_DATABASE[2:])
    elsewhere = f"workspace={tmp_path / 'elsewhere'}"
    expected = answer(capsys, "tune", elsewhere, *of_file, "trials=1", "candidate=scorecard")
    assert (tuned["study"], tuned["cv_auc"]) == (expected["study"], expected["cv_auc"])

    run = f"run={tuned['run_id']}"
    assert answer(capsys, "replay", workspace, run)["agrees"] is True
    write(database, "credit", table.assign(age_in_years=table["age_in_years"] + (table["number"] == 7)))
    other = answer(capsys, "replay", workspace, run)
    assert other["exit_code"] == 3
    first = other["differences"][0]  # type: ignore[index]
    assert first["what"] == "source ${oc.env:SCORES}"
    moved = answer(capsys, "replay", workspace, run, f"data.path={tmp_path / 'credit.parquet'}")
    assert moved["agrees"] is True
    files = [one for one in (tmp_path / "workspace").rglob("*") if one.is_file()]
    assert not [one for one in files if PASSWORD.encode() in one.read_bytes()]
    assert not list((tmp_path / "workspace").rglob(".scratch*"))


def test_a_batch_of_a_query_has_the_decisions_of_the_file_and_ends_once(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = applications(300)
    write(database, "october", table)
    here, there = (made(tmp_path / name, "scorecard") for name in ("here", "there"))
    path = written(table, tmp_path / "october.parquet")
    usual = ("score", "data=table", "data.id=application_id", "period=2026-10", "threads=1")
    source = ("data.database=${oc.env:SCORES}", "data.query='select * from october order by application_id'")
    expected = answer(capsys, *usual, f"workspace={here.workspace.root}", f"input={path}")
    scored = answer(capsys, *usual, f"workspace={there.workspace.root}", *source)
    assert scored["exit_code"] == expected["exit_code"] == 0
    again = answer(capsys, *usual, f"workspace={there.workspace.root}", *source)
    assert again["exit_code"] == 0
    kept = ["application_id", "pd", "points", "decision"]
    logs = [one.log.decisions(one.key()).sort_values("application_id")[kept] for one in (here, there)]
    pd.testing.assert_frame_equal(*(one.reset_index(drop=True) for one in logs))


def test_a_marketplace_in_a_database_is_prepared_as_its_files_are(database: str, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    simulate(SimulateSettings(workspace=str(here), customers=400, threads=1))
    expected = prepare(prepare_settings(here)).result
    raw = here / "lake" / "simulated"
    settings = prepare_settings(there)
    settings.raw.database = database
    for table in ("customers", "orders", "applications", "instalments"):
        rows = pd.read_parquet(raw / table)
        write(database, table, rows)
        key = {"customers": "customer_id", "orders": "order_id"}.get(table, "application_id")
        settings.raw.tables.of(table).sql = f"select * from {table} order by {key}, {rows.columns[-1]}"
    prepared = prepare(settings).result
    assert prepared["rows"] == expected["rows"]
    assert prepare(settings).result == prepared
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text("drop table orders"))
    engine.dispose()
    with pytest.raises(DataError, match=r'^raw.tables.orders.sql cannot be run \(relation "orders" does not exist\)'):
        prepare(settings)
