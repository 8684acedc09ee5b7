"""Whatever is done to the files of a champion's model: no verb decides with it, and the file is named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.replay.replay_decision import replay_decision
from monitoring.watch.settings import WatchSettings
from monitoring.watch.watch import watch
from pipelines.batch.score import score
from pipelines.command.verb import ExitCode
from pipelines.ledger.champion import ChampionDisputed, proven_champion
from pipelines.model_store.files import DESCRIPTION, FILES, SERVED
from pipelines.model_store.store import ModelStore
from pipelines.score_log.score_log import ScoreLog
from tests.pipelines.batch.conftest import applications, made, score_it, settings, written

PERIOD = "2026-10"


def append(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text((folder / name).read_text() + "\n")


def add(name: str) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"\x00")

    return plant


def compile_served_model(folder: Path) -> None:
    (folder / "__pycache__").unlink()
    add("__pycache__/served_model.cpython-311.pyc")(folder)


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


TAMPERINGS: dict[str, tuple[Callable[[Path], None], str]] = {
    "code compiled beside": (compile_served_model, "served_model.cpython-311.pyc was not registered"),
    "compiled code inside": (add("artifacts/__pycache__/x.pyc"), "artifacts/__pycache__/x.pyc was not registered"),
    "description changed": (append(DESCRIPTION), f"{DESCRIPTION} was changed"),
    "environment changed": (append("requirements.txt"), "requirements.txt was changed"),
    "generated code changed": (append(SERVED), f"{SERVED} was changed"),
    "weights changed": (append(f"{FILES}/scorecard.json"), "scorecard.json was changed"),
    "file removed": (remove("python_env.yaml"), "python_env.yaml is missing"),
    "file added": (add("sitecustomize.py"), "sitecustomize.py was not registered"),
}


@pytest.mark.integration
@pytest.mark.parametrize("name", TAMPERINGS)
def test_no_verb_decides_with_a_model_whose_files_are_not_those_registered(name: str, tmp_path: Path) -> None:
    # given a champion with decisions
    bench = made(tmp_path, "scorecard")
    table = str(written(applications(20), tmp_path / "table.parquet"))
    score_it(bench, input=table, period=PERIOD)
    decision = ScoreLog(bench.workspace).decisions(bench.key(PERIOD))["decision_id"][0]
    store = ModelStore(bench.workspace)
    champion = proven_champion(store, "credit_score")
    # when
    tamper, finding = TAMPERINGS[name]
    tamper(store.download(champion))
    # then
    with pytest.raises(ChampionDisputed, match=finding):
        score(settings(bench, input=table, period="2026-11"))
    replayed = replay_decision(bench.workspace, decision)
    assert replayed.exit_code is ExitCode.ANSWER_IS_NO
    watched = watch(WatchSettings(period=PERIOD, workspace=str(bench.workspace.root), today="2026-12-01"))
    assert watched.exit_code is ExitCode.ANSWER_IS_NO
    assert finding in str(watched.summary[0])
