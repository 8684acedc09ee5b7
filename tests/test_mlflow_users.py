"""Users of MLflow who do not have Thinfile score the table that a model learnt from, as it is, and get its answers."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.experiment.settings import TuneSettings
from experiments.search.tune import tune
from pipelines.applications.settings import DataSettings, Source
from pipelines.candidates.families.catboost import CatBoostSettings
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.store import ModelStore
from pipelines.reading.frames import frame_of
from pipelines.storage.workspace import Workspace
from tests.real_parts import needs_spark

pytestmark = pytest.mark.integration

ROWS, PATIENCE = 400, 120

WITHOUT_THINFILE = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pipelines", "experiments", "monitoring", "thinfile"):
            raise ImportError(name)

sys.meta_path.insert(0, Absent())
"""


def a_table() -> pd.DataFrame:
    """Return applications with a column of every type that pandas has for numbers, flags and levels."""
    generator = np.random.default_rng(7)
    income, branch = generator.integers(800, 6000, ROWS), generator.integers(1, 5, ROWS)
    orders = pd.Series(generator.integers(0, 9, ROWS)).astype("Int64")
    orders[generator.random(ROWS) < 0.2] = pd.NA
    channel = pd.Series(generator.choice(["app", "shop", "web"], ROWS))
    channel[generator.random(ROWS) < 0.1] = None
    rate = 0.1 + 0.3 * (income < 2000) + 0.2 * (branch == 3) + 0.2 * (orders.fillna(9).to_numpy() < 2)
    return pd.DataFrame(
        {
            "id": [f"a{row}" for row in range(ROWS)],
            "late": generator.random(ROWS) < rate,
            "income": income,
            "orders": orders,
            "debt": generator.normal(size=ROWS).astype(np.float32),
            "owner": generator.random(ROWS) < 0.5,
            "channel": channel.astype("category"),
            "branch": branch,
            "grade": pd.Series(generator.integers(1, 4, ROWS)).where(generator.random(ROWS) < 0.9),
            "plan": pd.Series(generator.choice(["a", "b", ""], ROWS)).astype("string"),
        }
    )


class Registered:
    """A model that was registered for the table, its files, the table's file and the model's answers."""

    def __init__(self, root: Path, family: str) -> None:
        self.root, self.table = root, root / "table.parquet"
        frame = a_table()
        frame.to_parquet(self.table)
        data = DataSettings(
            source=Source.table,
            path=str(self.table),
            id="id",
            label="late",
            bad="true",
            categorical=["branch", "grade"],
        )
        candidate = {"scorecard": ScorecardSettings, "catboost": CatBoostSettings}[family]()
        workspace = Workspace.at(str(root / "workspace"))
        tune(TuneSettings(workspace=str(workspace.root), data=data, candidate=candidate, trials=1))
        store = ModelStore(workspace)
        version = store.versions("credit_score")[-1]
        self.model = store.download(version)
        predictor = load_predictor(store, version)
        import pyarrow.parquet as pq

        contract = predictor.contract
        read = frame_of(pq.read_table(self.table), contract.reading, contract.types)
        features = read.rows[[*predictor.numeric, *predictor.categorical]].copy()
        for name in predictor.categorical:
            features[name] = features[name].map(_as_level, na_action="ignore")
        self.expected = predictor.probability_of_bad(features)
        site = root / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(WITHOUT_THINFILE)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # MLflow starts programs by name
        self.environment = {**os.environ, "PYTHONPATH": str(site), "PATH": path}

    def run(self, script: str) -> np.ndarray:
        """Run a script where Thinfile cannot be imported, and return the answers that it saves."""
        words = [sys.executable, "-c", textwrap.dedent(script), str(self.model), str(self.table)]
        done = subprocess.run(
            words, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return np.load(self.root / "answers.npy")


def _as_level(value: object) -> str:
    return str(int(value)) if isinstance(value, float) else str(value)


@pytest.fixture(scope="module", params=["scorecard", "catboost"])
def registered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Registered:
    return Registered(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def scorecard(tmp_path_factory: pytest.TempPathFactory) -> Registered:
    return Registered(tmp_path_factory.mktemp("served"), "scorecard")


def test_load_model_takes_the_table_and_other_types_of_it(registered: Registered) -> None:
    answers = registered.run(
        """
        import sys
        import mlflow.pyfunc, numpy, pandas
        try:
            import pipelines
        except ImportError:
            pass
        else:
            raise SystemExit("Thinfile is on the path")
        model = mlflow.pyfunc.load_model(sys.argv[1])
        table = pandas.read_parquet(sys.argv[2])
        answers = model.predict(table)
        plain = table.assign(
            orders=table["orders"].astype(float), branch=table["branch"].astype(float),
            channel=table["channel"].astype(object), owner=table["owner"].astype(int),
            grade=table["grade"].astype("Int64"),
        )
        numpy.testing.assert_array_equal(model.predict(plain), answers)
        texts = table.assign(branch=table["branch"].astype(str), income=table["income"].astype("int32"))
        numpy.testing.assert_array_equal(model.predict(texts), answers)
        numpy.save("answers.npy", answers)
        """
    )
    np.testing.assert_array_equal(answers, registered.expected)
    assert len(set(answers.round(6))) > 5


def test_the_input_example_is_accepted_and_no_person(registered: Registered) -> None:
    (answer,) = registered.run(
        """
        import sys
        import mlflow.models, mlflow.pyfunc, numpy
        model = mlflow.pyfunc.load_model(sys.argv[1])
        numpy.save("answers.npy", model.predict(model.input_example))
        """
    )
    assert 0 < answer < 1
    example = json.loads((registered.model / "input_example.json").read_text())
    row, table = dict(zip(example["columns"], example["data"][0], strict=True)), a_table()
    for name in ("income", "orders", "debt"):  # the medians of the development part
        assert table[name].quantile(0.4) <= row[name] <= table[name].quantile(0.6)
    assert not (table["income"] == row["income"]).any() or not (table["debt"] == row["debt"]).any()
    assert (row["channel"], row["branch"]) == (table["channel"].mode()[0], str(table["branch"].mode()[0]))
    assert "id" not in row
    assert "late" not in row


@needs_spark
def test_a_spark_udf_takes_the_table(scorecard: Registered) -> None:
    answers = scorecard.run(
        """
        import sys
        import mlflow.pyfunc, numpy
        from pyspark.sql import SparkSession
        spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
        table = spark.read.parquet(sys.argv[2])
        predict = mlflow.pyfunc.spark_udf(spark, sys.argv[1], result_type="double", env_manager="local")
        names = mlflow.pyfunc.load_model(sys.argv[1]).metadata.get_input_schema().input_names()
        found = table.withColumn("pd", predict(*names)).select("id", "pd").toPandas()
        order = found["id"].str[1:].astype(int).argsort()
        numpy.save("answers.npy", found["pd"].to_numpy()[order])
        spark.stop()
        """
    )
    np.testing.assert_array_equal(answers, scorecard.expected)


def test_models_serve_takes_the_table(scorecard: Registered) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["models", "serve", "-m", str(scorecard.model), "--env-manager", "local", "--port", str(port)]
    log = scorecard.root / "serve.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words],
            cwd=scorecard.root,
            env=scorecard.environment,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        body = json.dumps({"dataframe_split": json.loads(a_table().to_json(orient="split", index=False))}).encode()
        answers = _asked(f"http://127.0.0.1:{port}/invocations", body, process, log)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    np.testing.assert_allclose(answers, scorecard.expected, rtol=1e-6)  # JSON has the floats in ten digits


def _asked(url: str, body: bytes, process: "subprocess.Popen[bytes]", log: Path) -> list[float]:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            request = urllib.request.Request(url, body, {"content-type": "application/json"})
            with urllib.request.urlopen(request, timeout=30) as response:
                found: list[float] = json.load(response)["predictions"]
                return found
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()[-2000:]) from error
        except OSError:
            time.sleep(0.3)
    raise AssertionError(log.read_text()[-3000:])
