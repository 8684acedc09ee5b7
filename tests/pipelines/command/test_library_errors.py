"""An error of a library that reaches the front door is one message, whatever verb it comes through."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy
from mlflow.exceptions import MlflowException

import thinfile
from pipelines.command.library_errors import explained
from pipelines.command.verbs import VERBS
from pipelines.score_log.columns import with_later_columns

pytestmark = pytest.mark.integration


def evidently_report() -> None:
    from evidently import Dataset

    Dataset.from_pandas(pd.DataFrame({"a": [1]}), data_definition=object())


def mlflow_run() -> None:
    raise MlflowException("Run with id=x not found")


def locked() -> None:
    with closing(sqlite3.connect("locked.db")) as first, closing(sqlite3.connect("locked.db", timeout=0)) as second:
        first.execute("begin exclusive")
        second.execute("create table a (b)")


def damaged_parquet() -> None:
    pq.read_table(pa.BufferReader(b"PAR1 nothing PAR1"))


RAISED: dict[str, Callable[[], Any]] = {
    "Arrow: Integer value 300": lambda: pa.array([300]).cast(pa.int8()),
    "Arrow: ": damaged_parquet,
    "DuckDB: Catalog Error": lambda: duckdb.sql("select * from nowhere"),
    "DuckDB: Conversion Error": lambda: duckdb.sql("select 'x'::int").fetchall(),
    "pandas: no 'b'": lambda: pd.DataFrame({"a": [1]})["b"],
    "pandas: Unable to parse string": lambda: pd.to_numeric(pd.Series(["x"])),
    "pandas: Unknown datetime string": lambda: pd.to_datetime(["zzz"]),
    "SQLAlchemy: unable to open database file": lambda: sqlalchemy.create_engine("sqlite:////no/x.db").connect(),
    "SQLite: unable to open database file": lambda: sqlite3.connect("/no/x.db"),
    "a database is locked by another process; wait": locked,
    "'/no/x' cannot be read or written (No such file or directory); check": lambda: Path("/no/x").mkdir(),
    "MLflow: Run with id=x not found": mlflow_run,
    "Evidently: ": evidently_report,
}

TASKS = {
    "simulate": ("pipelines.cli._simulate", []),
    "prepare": ("pipelines.cli._prepare", ["raw.folder=x", "loan.as_of=2026-01-01"]),
    "tune": ("experiments.cli._tune", ["data=german_credit"]),
    "compare": ("experiments.cli._compare", []),
    "promote": ("experiments.cli._promote", ["data=german_credit"]),
    "score": ("pipelines.cli._score", ["data=german_credit", "period=2026-10"]),
    "serve": ("pipelines.cli._serve", []),
    "review": ("pipelines.cli._review", []),
    "erase": ("pipelines.cli._erase", ["customer=1"]),
    "watch": ("monitoring.cli._watch", ["period=2026-10"]),
    "ui": ("monitoring.cli._ui", []),
    "replay": ("experiments.cli._replay", []),
    "demo": ("pipelines.cli._demo", []),
}


def test_every_verb_is_here() -> None:
    assert set(TASKS) == set(VERBS)


@pytest.mark.parametrize("named", RAISED)
@pytest.mark.parametrize("verb", TASKS)
def test_an_error_of_a_library_is_one_message(
    verb: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    task, words = TASKS[verb]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(task, lambda _: RAISED[named]())
    assert thinfile.main([verb, *words]) == 1
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert line.startswith("error: ")
    assert named in line
    assert "Traceback" not in line
    assert "Background on this error" not in line
    assert thinfile.main([verb, "output=json", *words]) == 1
    assert named in json.loads(capsys.readouterr().out)["error"]


@pytest.mark.parametrize(
    "address", ["postgresql://anna:s3cret@host/scores", "postgresql+psycopg://anna:s3cret@h:5432/d?x=1"]
)
def test_a_password_in_an_address_is_not_printed(address: str) -> None:
    for error in (sqlalchemy.exc.ArgumentError(f"cannot parse '{address}'"), MlflowException(f"no store at {address}")):
        message = explained(error)
        assert message is not None
        assert "s3cret" not in message
        assert "anna:***@h" in message


def test_an_error_of_our_own_code_is_not_put_on_a_library() -> None:
    with pytest.raises(ValueError, match="it has no column") as raised:
        pd.Series([500.0]).map(lambda _: with_later_columns(pa.table({"a": [1]})))
    assert explained(raised.value) is None
    assert explained(RuntimeError("of no library")) is None
