"""A standalone cluster gives what the embedded engine gives, with executors that have no Thinfile of their own."""

import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import pipelines
from pipelines.batch.settings import BatchEngine
from pipelines.book import prepare as preparing
from pipelines.engine import spark_engine
from pipelines.engine.spark_engine import map_on_spark, session
from pipelines.engine.spark_settings import SparkSettings
from pipelines.errors import ConfigurationError, ThinfileError
from pipelines.marketplace.settings import Engine
from pipelines.profiles.passes import on_spark
from pipelines.simulation.settings import SimulateSettings
from pipelines.simulation.simulate import simulate
from tests.conftest import Answer
from tests.docs.commands import ROOT, Block, blocks
from tests.pipelines.batch.conftest import applications, made, score_it, written
from tests.pipelines.engine.test_spark_engine import asked, files
from tests.pipelines.engine.ways import MEMORY
from tests.pipelines.profiles.ways import assert_ways_agree, random_pair
from tests.real_parts import needs_spark
from tests.spark_cluster import SparkCluster, spark_cluster, spark_home

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    with spark_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@needs_spark
def test_prepare_gives_the_same_bytes_with_relative_paths(
    cluster: SparkCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(preparing, "BYTES_A_BUCKET", 30_000)
    simulate(SimulateSettings(workspace="simulated", customers=300, months=24, threads=1))
    raw = Path("simulated/lake/simulated")
    preparing.prepare(asked(Engine.duckdb, raw, Path("embedded")))
    preparing.prepare(replace(asked(Engine.spark, raw, Path("cluster")), spark=cluster.settings))
    made_by_cluster = files(tmp_path / "cluster" / "lake" / "marketplace")
    assert len(made_by_cluster) > 9
    assert made_by_cluster == files(tmp_path / "embedded" / "lake" / "marketplace")


@needs_spark
def test_score_gives_the_same_decisions_with_relative_paths(
    cluster: SparkCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pipelines.storage.parquet_parts.LEAST_ROWS", 200)
    bench = made(tmp_path, "scorecard")
    path = written(applications(1200), Path("rows.parquet"), group=200)
    score_it(bench, input=str(path), period="2026-10")
    score_it(bench, input=str(path), period="2026-11", engine=BatchEngine.spark, spark=cluster.settings)
    embedded, on_cluster = (
        bench.log.decisions(bench.key(period)).drop(columns=["decision_id", "decided_at", "period"])
        for period in ("2026-10", "2026-11")
    )
    order = "application_id"
    assert len(embedded) == 1200
    assert on_cluster.sort_values(order, ignore_index=True).equals(embedded.sort_values(order, ignore_index=True))


@needs_spark
def test_counts_are_the_same(cluster: SparkCluster, tmp_path: Path) -> None:
    reference, window = random_pair(tmp_path / "tables", 7, 500, 300)
    with on_spark(1, MEMORY, tmp_path, cluster.settings) as one_pass:
        assert assert_ways_agree(reference, window, tmp_path, one_pass) > 100


@pytest.fixture
def spark(cluster: SparkCluster, tmp_path: Path) -> Iterator["SparkSession"]:
    with by_value(), session(1, MEMORY, tmp_path, cluster.settings) as running:
        yield running


@contextmanager
def by_value() -> Iterator[None]:
    """Send functions of this module as they are: executors have no tests."""
    from pyspark import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def java_of_driver() -> set[int]:
    """Return the process of the Java that this process has started."""
    from pyspark import SparkContext

    assert SparkContext._gateway is not None
    return {SparkContext._gateway.proc.pid}


def where_it_runs(_: int) -> Mapping[str, Any]:
    """Return what an executor's process knows about itself."""
    ancestors, process = [], os.getpid()
    while process > 1:
        ancestors.append(process)
        process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return {
        "ancestors": ancestors,
        "folder": os.getcwd(),  # noqa: PTH109
        "package": os.path.abspath(str(pipelines.__file__)),  # noqa: PTH100
        "paths": [path for path in sys.path if os.path.isdir(os.path.join(path, "pipelines"))],  # noqa: PTH112, PTH118
    }


@needs_spark
def test_executors_are_processes_of_the_worker_and_import_what_was_shipped(
    spark: "SparkSession", cluster: SparkCluster
) -> None:
    places = list(map_on_spark(spark, where_it_runs, [0, 1, 2, 3]))
    for place in places:
        assert cluster.worker in place["ancestors"]
        assert not java_of_driver() & {*place["ancestors"]}
        assert Path(place["folder"]).is_relative_to(cluster.work)
        assert Path(place["package"]).is_relative_to(cluster.work)
        assert len(place["paths"]) == 1


@needs_spark
def test_without_shipped_packages_the_work_fails_in_one_message(
    cluster: SparkCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark_engine, "ship_packages", lambda *_: None)
    with (
        pytest.raises(
            ThinfileError, match=r"executors cannot do the work \(ModuleNotFoundError: No module named 'pipe"
        ),
        session(1, MEMORY, tmp_path, cluster.settings),
    ):
        pass


@needs_spark
def test_a_folder_that_executors_do_not_see_is_named(spark: "SparkSession", tmp_path: Path) -> None:
    with pytest.raises(ThinfileError, match=rf"executors on {socket.gethostname()} cannot read and write '{tmp_path}'"):
        spark_engine._check_executors(spark, tmp_path / "elsewhere")


@needs_spark
@pytest.mark.parametrize(
    ("master", "message"),
    [
        ("spark://127.0.0.1:1", "which does not answer (Connection refused); start it"),
        ("sparc://h:1", "which is no address of a master; write spark://HOST:7077"),
        ("spark://host", "which is no address of a master"),
    ],
)
def test_a_master_that_cannot_be_used_is_named(master: str, message: str, tmp_path: Path) -> None:
    with (
        pytest.raises(ThinfileError, match=re.escape(f"spark.master is '{master}', {message}")),
        session(1, MEMORY, tmp_path, SparkSettings(master)),
    ):
        pass


@needs_spark
def test_settings_that_spark_refuses_are_named(tmp_path: Path) -> None:
    settings = SparkSettings("local[1]", {"spark.eventLog.enabled": True, "spark.eventLog.dir": "/nowhere"})
    with pytest.raises(ThinfileError, match=r"did not start \(.*/nowhere"), session(1, MEMORY, tmp_path, settings):
        pass


PAGE = ROOT / "docs" / "spark.md"


@needs_spark
def test_the_commands_of_the_page_run_on_the_cluster(cluster: SparkCluster, tmp_path: Path) -> None:
    """Each command as the page has it, with another host, another Python, and the addresses of this machine."""
    bench = made(tmp_path, "scorecard")
    simulate(SimulateSettings(workspace=str(bench.workspace.root), customers=300, threads=1))
    for name, seed in (("october", 1), ("september", 2)):
        rows = applications(1000, seed).assign(points=range(1000))
        written(rows, tmp_path / f"{name}.parquet")
    run = partial(run_on_page, cluster, tmp_path)
    commands = [command for block in blocks_of_page() for command in block.commands]
    assert {shlex.split(command)[0] for command in commands} == {"thinfile", "spark-submit"}
    assert [run(command).exit_code for command in commands] == [0] * len(commands)


def blocks_of_page() -> list[Block]:
    return [block for block in blocks() if block.page == PAGE]


def run_on_page(cluster: SparkCluster, folder: Path, command: str) -> Answer:
    """Run one command in a shell."""
    replaced = command.replace("spark://HOST:7077", cluster.master).replace(
        "/opt/thinfile/bin/python", str(cluster.python)
    )
    local = {name: value for name, value in cluster.settings.conf.items() if name != "spark.pyspark.python"}
    key = "table.spark.conf" if " table.engine=" in command else "spark.conf"
    own = " ".join(f"{key}.{name}={value}" for name, value in local.items())
    if replaced.startswith("spark-submit "):
        options = " ".join(f"--conf {name}={value}" for name, value in local.items())
        replaced, own = replaced.replace("spark-submit ", f"spark-submit {options} ", 1), ""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SPARK_HOME": str(spark_home()),
    }
    done = subprocess.run(
        ["bash", "-c", f"{replaced} {own}"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr[-5000:]}"
    return Answer(done.returncode, done.stdout, done.stderr)


def test_names_of_other_programs_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"'executor.memory'.* write for example spark.conf.spark.exec"):
        SparkSettings(conf={"executor": {"memory": "4g"}}).properties()


def test_a_password_of_spark_is_moved_from_the_command_line(thinfile: Callable[..., Answer]) -> None:
    words = ("prepare", "loan.as_of=2026-01-01", "spark.conf.spark.hadoop.fs.s3a.secret.key=abcdef")
    shown = thinfile(*words, "--cfg", "job")
    assert shown.exit_code == 0, shown.stderr
    assert "a password on a command line is visible to other users; it was moved" in shown.stderr
    assert "abcdef" not in shown.stdout + shown.stderr
