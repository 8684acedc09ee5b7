"""Two clones on two machines use one MLflow server and one PostgreSQL, as a team has them."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from mlflow import MlflowClient

from pipelines.applications.sources import german_credit_path
from tests.mlflow_server import PASSWORD, MlflowServer, mlflow_server
from tests.postgresql import fresh_database, private_server, programs

pytestmark = pytest.mark.integration

DATABASE_PASSWORD = "data base%20?#&"
PATIENCE = 900
MODEL = "credit_score"
DATA = ["data=table", "data.label=creditability", "data.bad=bad", "data.protected=[age_in_years]"]


@dataclass
class Machine:
    """A clone on a machine of its own: another folder, other paths, another host name, the same stores."""

    root: Path
    environment: Mapping[str, str]
    said: list[str] = field(default_factory=list)

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"

    def start(self, *words: str) -> "subprocess.Popen[str]":
        own = [f"workspace={self.workspace}", "output=json"]
        command = [sys.executable, "-m", "thinfile", *words, *own]
        return subprocess.Popen(
            [*_other_host(self.root.name), *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.root,
            env=self.environment,
        )

    def end(self, process: "subprocess.Popen[str]", *, code: int = 0) -> Any:
        out, err = process.communicate(timeout=PATIENCE)
        self.said += [out, err]
        assert process.returncode == code, (out[-1500:], err[-3000:])
        return json.loads(out)

    def run(self, *words: str, code: int = 0) -> Any:
        return self.end(self.start(*words), code=code)


def _other_host(name: str) -> list[str]:
    """Return the words before a command that let it run under another host name, with process numbers of its own."""
    words = ["unshare", "--uts", "--pid", "--fork", "--mount-proc"]
    is_allowed = shutil.which("unshare") and subprocess.run([*words, "true"], capture_output=True, check=False)
    if not is_allowed or is_allowed.returncode:
        return []
    return [*words, "sh", "-c", f'hostname machine-{name} && exec "$@"', "sh"]


@dataclass
class Team:
    server: MlflowServer
    databases: tuple[str, str]
    empty_database: str
    a: Machine
    b: Machine
    processes: set[str]

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(self.server.url, self.server.url)

    def runs(self) -> list[Any]:
        experiments = [one.experiment_id for one in self.client.search_experiments()]
        return list(self.client.search_runs(experiments))


def _watch_processes(seen: set[str], done: threading.Event) -> None:
    """Collect the command lines of all processes, as `ps` shows them to every user."""
    while not done.wait(0.05):
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = programs()
    if folder is None:
        pytest.skip("PostgreSQL is not installed")
    root, seen, done = tmp_path_factory.mktemp("team"), set[str](), threading.Event()
    with private_server(folder, DATABASE_PASSWORD) as postgresql:
        runs, shared = fresh_database(postgresql), fresh_database(postgresql)
        with mlflow_server(root / "server", runs) as server:
            plain = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "THINFILE_"))}
            environment = plain | server.environment | {"THINFILE_DATABASE": shared, "PYTHONPATH": str(Path.cwd())}
            machines = []
            for name in "ab":
                machines.append(Machine(root / name, environment))
                machines[-1].root.mkdir()
                shutil.copy(german_credit_path(), machines[-1].root / f"loans of {name}.csv")
            watching = threading.Thread(target=_watch_processes, args=(seen, done), daemon=True)
            watching.start()
            with pytest.MonkeyPatch.context() as patched:
                for name, value in server.environment.items():
                    patched.setenv(name, value)
                yield Team(server, (runs, shared), fresh_database(postgresql), *machines, seen)
            done.set()
            watching.join()


def tune(machine: Machine, *words: str) -> "subprocess.Popen[str]":
    path = f'data.path="loans of {machine.root.name}.csv"'
    return machine.start("tune", "candidate=scorecard", *DATA, path, *words)


@pytest.fixture(scope="module")
def tuned(team: Team) -> dict[str, Any]:
    """What both machines answered: on one study that they share, and then each on one of its own, always at once."""
    answers = {}
    for name, words in {"shared": ((), ()), "own": (("seed=1",), ("seed=2",))}.items():
        started = [
            (machine, tune(machine, "trials=4", *own)) for machine, own in zip((team.a, team.b), words, strict=True)
        ]
        answers[name] = [machine.end(process) for machine, process in started]
    return answers


@pytest.fixture(scope="module")
def promoted(team: Team, tuned: dict[str, Any]) -> Any:
    version = tuned["shared"][0]["version"]
    return team.a.run("promote", f"version={version}")


@pytest.fixture(scope="module")
def scored(team: Team, promoted: Any) -> Any:
    """What the second machine scored when the first one's files were gone."""
    team.a.root.rename(team.a.root.with_name("gone"))
    try:
        return team.b.run("score", *DATA[:1], 'data.path="loans of b.csv"', "period=2026-10")
    finally:
        team.a.root.with_name("gone").rename(team.a.root)


def test_two_machines_tune_at_once_and_no_run_is_left_or_closed_by_the_other(team: Team, tuned: dict[str, Any]) -> None:
    shared, own = tuned["shared"], tuned["own"]
    assert shared[0]["study"] == shared[1]["study"]
    assert (shared[0]["run_id"], shared[0]["version"]) == (shared[1]["run_id"], shared[1]["version"])
    assert len({one["run_id"] for one in (*shared, *own)}) == 3
    assert len({one["version"] for one in (*shared, *own)}) == 3
    runs = team.runs()
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert sorted(one.data.tags["thinfile.kind"] for one in runs).count("study") == 3


def test_artifacts_are_at_the_server_and_nowhere_else(team: Team, promoted: Any) -> None:
    assert {run.info.artifact_uri.partition(":")[0] for run in team.runs()} == {"mlflow-artifacts"}
    for machine in (team.a, team.b):
        assert not (machine.workspace / "artifacts").exists()
        assert not (machine.workspace / "mlflow.db").exists()
        assert not list(machine.workspace.rglob("MLmodel"))  # copies are gone with their commands
    assert promoted["document"].startswith(f"{team.server.url}/#/experiments/")


def test_what_one_machine_promoted_the_other_one_scores_and_verifies(
    team: Team, tuned: dict[str, Any], scored: Any
) -> None:
    assert scored["scored"] == 1000
    assert scored["version"] == tuned["shared"][0]["version"]
    assert team.b.run("promote", "verify")["findings"] == []
    assert len(list((team.b.workspace / "score_log" / "decisions").rglob("*.parquet"))) == 1
    assert not (team.a.workspace / "score_log").exists()


def test_a_file_changed_at_the_server_is_found_after_the_download(team: Team, scored: Any) -> None:
    (changed,) = [
        path
        for path in team.server.artifacts.rglob("model.json")
        if f"models/{_logged_model(team)}/" in path.as_posix()
    ]
    original = changed.read_bytes()
    changed.write_bytes(original.replace(b'"intercept"', b'"Intercept"', 1))
    try:
        refused = team.b.run("score", *DATA[:1], 'data.path="loans of b.csv"', "period=2026-11", code=3)
        assert "artifacts/model/model.json was changed" in refused["error"]
    finally:
        changed.write_bytes(original)
    assert team.b.run("promote", "verify")["findings"] == []


def test_the_run_says_who_learnt_what_from_which_data(team: Team, tuned: dict[str, Any]) -> None:
    answer = tuned["shared"][0]
    run = team.client.get_run(answer["run_id"])
    assert run.info.run_name.startswith("scorecard on loans of ")
    assert run.data.tags["mlflow.user"] == run.data.tags["mlflow.user"].strip() != ""
    assert run.data.tags["mlflow.source.name"].startswith("thinfile tune candidate=scorecard")
    assert len(run.data.tags["mlflow.source.git.commit"].rstrip("+")) == 40
    assert run.data.tags["thinfile.policy_name"] == "default"
    assert {name.removeprefix("best.") for name in run.data.tags if name.startswith("best.")} == set(
        answer["parameters"]
    )
    assert run.data.metrics["test_auc"] == answer["test"]["measures"]["auc"]["value"]
    inputs = {one.tags[0].value: one.dataset for one in run.inputs.dataset_inputs}
    assert inputs["training"].digest == answer["data_fingerprint"][:36]
    assert json.loads(inputs["test"].profile)["rows"] == 300


def test_the_model_has_a_name_parameters_metrics_its_version_and_links(
    team: Team, tuned: dict[str, Any], promoted: Any
) -> None:
    answer = tuned["shared"][0]
    logged = team.client.get_logged_model(_logged_model(team))
    assert (logged.name, logged.model_type) == (MODEL, "scorecard")
    assert set(logged.params) == set(answer["parameters"])
    assert {one.key: one.value for one in logged.metrics}["test_auc"] == answer["test"]["measures"]["auc"]["value"]
    version = {"name": MODEL, "version": answer["version"]}
    assert [{**one, "version": int(one["version"])} for one in json.loads(logged.tags["mlflow.modelVersions"])] == [
        version
    ]
    description = team.client.get_model_version(MODEL, str(answer["version"])).description
    assert f"- **Ledger**: entry {promoted['ledger_entry']}, promoted on " in description
    assert f"[model_document.html](#/experiments/{team.runs()[0].info.experiment_id}/runs/" in description
    assert team.client.get_model_version_by_alias(MODEL, "champion").version == str(answer["version"])


def test_the_home_page_of_the_other_machine_links_the_server(team: Team, scored: Any) -> None:
    home = team.b.run("ui")
    page = Path(home["index"]).read_text()
    assert home["models"][MODEL] == scored["version"]
    assert f"{team.server.url}/#/experiments/" in page
    assert ".scratch" not in page


def test_a_server_that_lost_its_database_gets_the_versions_of_the_ledger_again(
    team: Team, tuned: dict[str, Any], scored: Any
) -> None:
    version = tuned["shared"][0]["version"]
    with mlflow_server(team.server.artifacts.parent, team.empty_database) as server:
        machine = Machine(team.b.root, {**team.b.environment, **server.environment}, team.b.said)
        lost = machine.run("promote", "verify", code=3)
        assert (
            f"has decisions about versions up to {version}, and MLflow has never had a version of it" in lost["error"]
        )
        rebuilt = machine.run("promote", "rebuild")
        assert (rebuilt["restored"], rebuilt["lacking"]) == ([version], {})
        assert machine.run("promote", "verify")["findings"] == []
        assert machine.run("promote", "rebuild")["restored"] == []
        again = machine.run("score", *DATA[:1], 'data.path="loans of b.csv"', "period=2026-09")
        assert (again["scored"], again["version"]) == (1000, version)


def test_no_password_is_in_any_output_table_file_or_process_list(team: Team, scored: Any) -> None:
    time.sleep(0.2)
    secrets = [spelt for secret in (PASSWORD, DATABASE_PASSWORD) for spelt in _spellings(secret)]
    output = "".join([*team.a.said, *team.b.said])
    assert "thinfile" in output
    for secret in secrets:
        assert secret not in output
        assert not [line for line in team.processes if secret in line]
    for database in team.databases:
        text = _everything_in(database)
        assert "thinfile" in text
        assert [secret for secret in secrets if secret in text] == []
    for path in (one for machine in (team.a, team.b) for one in machine.root.rglob("*") if one.is_file()):
        content = path.read_bytes()
        assert [secret for secret in secrets if secret.encode() in content] == [], path


def test_wrong_credentials_are_refused_in_one_message(team: Team) -> None:
    stranger = Machine(team.b.root, {**team.b.environment, "MLFLOW_TRACKING_PASSWORD": "wrong"})
    refused = stranger.run("compare", code=1)
    assert f"the MLflow server {team.server.url} refuses the credentials (status 401)" in refused["error"]


def _logged_model(team: Team) -> str:
    return str(team.client.get_model_version_by_alias(MODEL, "champion").source).removeprefix("models:/")


def _spellings(secret: str) -> set[str]:
    return {secret, quote(secret), quote(secret, safe="")}


def _everything_in(database: str) -> str:
    """Return the rows of all tables of a database as text."""
    with psycopg.connect(database) as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE' "
            "and table_schema not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        rows = [connection.execute(f'select t::text from "{one[0]}"."{one[1]}" t').fetchall() for one in tables]
    return "\n".join(str(row) for some in rows for row in some)
