"""A row has the same probability from a table and from the service, as JSON texts or JSON values, or both refuse it."""

import asyncio
import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.applications.settings import DataSettings, Source
from pipelines.batch.score import score
from pipelines.batch.settings import ScoreSettings
from pipelines.candidates.registry import candidate_of
from pipelines.candidates.sample import Sample
from pipelines.candidates.training import train
from pipelines.credit.population import Population
from pipelines.model_store.store import ModelStore
from pipelines.reading.column_types import ColumnType
from pipelines.reading.contract import ReadingContract
from pipelines.reading.reading import Reading
from pipelines.reading.special import AMOUNT
from pipelines.reading.values import Kind
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import ScoreLog
from pipelines.serving.metrics import Metrics
from pipelines.serving.roller import Roller, versions_in
from pipelines.serving.settings import ServeSettings
from pipelines.storage.workspace import Workspace
from tests.pipelines.candidates.test_conformance import METHOD, folds_of, settings_of
from tests.pipelines.model_store.champions import make_champion
from tests.pipelines.serving.conftest import Opened

CONTRACT = ReadingContract(
    {
        "income": ColumnType(Kind.number, "numbers"),
        "months": ColumnType(Kind.number, "special codes are declared"),
        "owner": ColumnType(Kind.flag, "values are true and false"),
        "channel": ColumnType(Kind.text, "values are not numbers"),
        "branch": ColumnType(Kind.number, "all values are numbers"),
    },
    Reading(nulls=("NA", "-999"), decimal=",", special={"months": ("-9",)}),
)

Cell = tuple[str, Any]
"""A value as a text file has it, and as a sender of JSON has it."""

CELLS: dict[str, list[Cell]] = {
    "income": [
        ("1", 1), ("1,5", 1.5), ("-0,25", -0.25), (" 7 ", 7.0), ("+3", 3), ("1e2", 1e2), ("", None), ("NA", None),
        ("-999", -999), ("-999", None), ("nan", None), ("9007199254740993", 9007199254740993), ("0,1", 0.1),
        ("x", "x"), ("1,2,3", "1,2,3"), ("true", True), ("inf", "inf"), ("1e999", "1e999"), ("1.5", "1.5"),
    ],
    "months": [("-9", -9), ("-9,0", -9.0), ("12", 12), ("", None), ("NA", "NA"), ("-999", -999), ("three", "three")],
    "owner": [
        ("true", True), ("True", True), ("TRUE", True), ("1", 1), ("1,0", 1.0), ("false", False), (" false", False),
        ("0", 0), ("", None), ("NA", None), ("yes", "yes"),
    ],
    "channel": [("app", "app"), ("web", "web"), ("", None), ("NA", "NA"), ("NA", None), ("1", 1), ("ünï ", "ünï "),
                ("01", "01"), ("nan", "nan"), ("12345678901234567890", 12345678901234567890), ("True", True)],
    "branch": [("1", 1), ("1,0", 1.0), ("01", 1), ("2", 2), ("2", 2.0), ("", None), ("NA", None), ("-999", -999),
               ("head office", "head office")],
}  # fmt: skip
ROWS = 300


def learnt() -> pd.DataFrame:
    generator = np.random.default_rng(7)
    income = generator.normal(3, 3, 400)
    return pd.DataFrame(
        {
            "income": income,
            "months": np.where(generator.random(400) < 0.3, np.nan, generator.integers(1, 30, 400)),
            "owner": generator.integers(0, 2, 400).astype(float),
            "channel": generator.choice(["app", "web", "1"], 400),
            "branch": generator.choice(["1", "2"], 400),
            "months (code)": generator.choice(["-9", AMOUNT], 400),
        }
    )


@pytest.fixture
def served(tmp_path: Path) -> ServeSettings:
    workspace, table = Workspace.at(str(tmp_path / "workspace")), learnt()
    bad = (table["income"] + table["owner"] + (table["branch"] == "1") > 3.5).to_numpy(np.int8)
    sample = Sample.of(table, bad, ["income", "months", "owner"], ["channel", "branch", "months (code)"])
    model = train(candidate_of(settings_of("scorecard")), sample, folds_of(400), METHOD, seed=3, threads=1)
    model.model.card["reading"] = CONTRACT.to_record()  # type: ignore[index]
    make_champion(ModelStore(workspace), model, tmp_path / "model")
    return ServeSettings(workspace=str(workspace.root), port=0, workers=1)


def rows_of_cells() -> list[dict[str, Cell]]:
    """Return rows of random cells; most of them have sound values only, or few rows would keep the contract."""
    generator = np.random.default_rng(11)
    return [{name: cells[generator.integers(len(cells))] for name, cells in CELLS.items()} for _ in range(ROWS)]


def in_batch(settings: ServeSettings, rows: list[dict[str, Cell]], path: Path) -> dict[str, float]:
    """Return the probabilities of the rows that keep the contract, by id."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["id", *CELLS])
        writer.writerows([f"A{number}", *(one[0] for one in row.values())] for number, row in enumerate(rows))
    data = DataSettings(
        source=Source.table, path=str(path), id="id", delimiter=";", max_quarantined=1.0, max_unknown=None
    )
    score(ScoreSettings(workspace=settings.workspace, data=data, period="2020-01", threads=1))
    key = LogKey("credit_score", 1, Population.applications, "2020-01")
    decisions = ScoreLog(Workspace.at(settings.workspace)).decisions(key)
    return dict(zip(decisions["application_id"], decisions["pd"], strict=True))


def test_a_row_has_one_probability_however_it_comes(client: Opened, served: ServeSettings, tmp_path: Path) -> None:
    rows = rows_of_cells()
    expected = in_batch(served, rows, tmp_path / "rows.csv")
    assert 30 < len(expected) < ROWS

    async def asked() -> list[tuple[str, int, Any]]:
        found = []
        async with client(served) as opened:
            for number, row in enumerate(rows):
                for form in (0, 1):
                    features = {name: cell[form] for name, cell in row.items()}
                    body = {"application_id": f"A{number}", "features": features}
                    answer = await opened.post("/decisions", json=body)
                    found.append((f"A{number}", answer.status_code, answer.json()))
        return found

    for identity, status, answer in asyncio.run(asked()):
        assert (status == 200) == (identity in expected), (identity, answer, rows[int(identity[1:])])
        if status == 200:
            assert answer["pd"] == expected[identity], rows[int(identity[1:])]
        else:
            assert status == 422
            assert answer["field"].startswith("features.")
    in_service = logged_features(served, roll(served))
    in_table = logged_features(served, "2020-01")
    pd.testing.assert_frame_equal(in_service.loc[in_table.index, in_table.columns], in_table)


def roll(settings: ServeSettings) -> str:
    """Move the decisions of the service to the score log and return their month."""
    workspace = Workspace.at(settings.workspace)
    versions = versions_in(ModelStore(workspace))
    roller = Roller(workspace, versions, Metrics(workspace.serving / "run"), None)
    roller.roll()
    roller.close()
    (period,) = {*ScoreLog(workspace).periods(LogKey("credit_score", 1, Population.applications, ""))} - {"2020-01"}
    return period


def logged_features(settings: ServeSettings, period: str) -> pd.DataFrame:
    """Return the features of a month by application."""
    log, key = ScoreLog(Workspace.at(settings.workspace)), LogKey("credit_score", 1, Population.applications, period)
    ids = log.decisions(key).set_index("decision_id")["application_id"]
    features = log.features(key).set_index("decision_id")
    return features.set_index(ids.loc[features.index]).sort_index().astype({"channel": object})
