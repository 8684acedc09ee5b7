"""Every file that the verbs write is its owner's alone, whatever the umask would allow."""

from pathlib import Path

import pytest

from tests.conftest import command_in

pytestmark = pytest.mark.integration


def run(folder: Path, *words: str) -> None:
    answer = command_in(folder, *words, umask=0, timeout=600)
    assert answer.exit_code in (0, 3), answer.stderr


def test_only_the_owner_may_open_what_verbs_wrote(tmp_path: Path) -> None:
    # given a workspace after several verbs, with a umask that takes nothing away
    run(tmp_path, "demo")
    run(tmp_path, "simulate", "customers=600", "customers_per_part=300")
    run(tmp_path, "prepare", "raw.folder=workspace/lake/simulated", "loan.as_of=2024-06-01")
    run(tmp_path, "compare", "model=demo_german_credit")
    run(tmp_path, "serve", "key", "name=checkout")
    run(tmp_path, "replay", "model=demo_german_credit", "version=1")
    run(tmp_path, "tune", "--multirun", "candidate=scorecard", "trials=1", "seed=1,2")
    run(tmp_path, "ui")
    # then nobody else may read, write or list any of it
    written = [tmp_path / "workspace", *(tmp_path / "workspace").rglob("*")]
    open_to_others = {str(path.relative_to(tmp_path)): oct(path.lstat().st_mode) for path in written if is_open(path)}
    assert open_to_others == {}
    assert {"mlflow.db", "chain.db", "studies.db", "keys.json", "config.json", "multirun.yaml"} <= {
        path.name for path in written
    }


def is_open(path: Path) -> bool:
    return not path.is_symlink() and bool(path.stat().st_mode & 0o077)
