"""A row has one score, whoever asks: the batch, MLflow's pyfunc, Spark, and the native scorer one row at a time."""

from pathlib import Path

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest

from pipelines.batch.settings import BatchEngine
from pipelines.candidates.portable_model import columns_of
from pipelines.ledger.champion import proven_champion
from pipelines.model_store.store import ModelStore
from pipelines.policy.pack import PolicySettings
from pipelines.scoring.scorer import Scorer, select_rows
from tests.evidence.batch_inputs import nasty_rows
from tests.evidence.conftest import Evidence
from tests.pipelines.batch.conftest import Bench, made, score_it, written
from tests.pipelines.candidates.test_conformance import CATEGORICAL, NUMERIC, OWN_FAMILIES
from tests.pipelines.engine.ways import why_no_spark
from tests.real_parts import needs_spark


@pytest.mark.integration
def test_every_way_gives_the_same_score_to_the_last_bit(
    evidence: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.storage.parquet_parts.LEAST_ROWS", 1000)  # several parts
    rows = evidence.size(full=10_000, reduced=1200)
    counted: dict[str, dict[str, int]] = {}
    for number, family in enumerate(OWN_FAMILIES):
        bench = made(tmp_path / family, family)
        table = nasty_rows(rows, seed=number)
        path = str(written(table, tmp_path / f"{family}.parquet", group=600))
        batch = batch_scores(bench, path, table, BatchEngine.processes, "2026-10")
        ways = {"pyfunc": pyfunc_scores(bench, table), "one row at a time": single_scores(bench, table)}
        if evidence.full and not why_no_spark():
            ways["Spark"] = batch_scores(bench, path, table, BatchEngine.spark, "2026-11")
        counted[family] = {way: int((found == batch).sum()) for way, found in ways.items()}
        infinite = table.assign(income=np.where(np.arange(rows) % 100 == 0, np.inf, table["income"]))
        told = score_it(bench, input=str(written(infinite, tmp_path / "infinite.parquet")), period="2026-12")
        assert told["quarantined"] == {"'income' is infinite": rows // 100}
    holds = all(same == rows for ways in counted.values() for same in ways.values())
    evidence.record(
        "47-same-score",
        claim="random and nasty rows (missing, levels never seen, numbers beyond single precision; infinite ones are "
        "quarantined): the batch, MLflow's pyfunc, Spark and the native scorer one row at a time agree to the last bit",
        value="; ".join(
            f"{family}: {', '.join(f'{way} {same:,}' for way, same in ways.items())}"
            for family, ways in counted.items()
        )
        + f" of {rows:,} rows as in the batch",
        bound="all",
        holds=holds,
    )
    assert holds, counted


def batch_scores(bench: Bench, path: str, table: pd.DataFrame, engine: BatchEngine, period: str) -> np.ndarray:
    score_it(bench, input=path, engine=engine, period=period)
    logged = bench.log.decisions(bench.key(period)).set_index("application_id")
    return logged.loc[table["application_id"], "pd"].to_numpy()


def pyfunc_scores(bench: Bench, table: pd.DataFrame) -> np.ndarray:
    store = ModelStore(bench.workspace)
    model = mlflow.pyfunc.load_model(str(store.download(proven_champion(store, "credit_score"))))
    return np.asarray(model.predict(table[[*NUMERIC, *CATEGORICAL]]))


def single_scores(bench: Bench, table: pd.DataFrame) -> np.ndarray:
    scorer = Scorer(bench.predictor, PolicySettings())
    columns = columns_of(table, NUMERIC, CATEGORICAL)
    return np.array([scorer.score(select_rows(columns, np.array([row]))).pd[0] for row in range(len(table))])


@needs_spark
def test_spark_gives_the_same_score_to_the_last_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.storage.parquet_parts.LEAST_ROWS", 1000)
    bench, table = made(tmp_path, "catboost"), nasty_rows(1200, seed=0)
    path = str(written(table, tmp_path / "rows.parquet", group=600))
    expected = batch_scores(bench, path, table, BatchEngine.processes, "2026-10")
    assert (batch_scores(bench, path, table, BatchEngine.spark, "2026-11") == expected).all()
