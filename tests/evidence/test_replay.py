"""A run is rebuilt from its record in a new process, bit for bit, by every candidate family."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.evidence.commands import answer
from tests.evidence.conftest import Evidence

pytestmark = pytest.mark.integration  # whole commands, run again and again

FAMILIES = ("catboost", "scorecard", "hist_gradient_boosting")


def test_runs_of_every_family_are_rebuilt_bit_for_bit(evidence: Evidence, tmp_path: Path) -> None:
    trials = evidence.size(full=5, reduced=1)
    compared, differing, told = 0, 0, []
    for family in FAMILIES[: evidence.size(full=len(FAMILIES), reduced=1)]:
        run, where = _tuned(family, trials, tmp_path / family)
        replayed = answer("replay", f"run={run[:8]}", where)
        compared += replayed["compared"]
        differing += len(replayed["differences"])
        told.append(_is_named_precisely(family, run, tmp_path / family, where))
    holds = differing == 0 and all(told)
    evidence.record(
        "30-replay",
        claim="replay of a run in a new process: every number and the model's fingerprint, every candidate family; "
        "another thread count or a doctored record is named precisely",
        value=f"{differing} of {compared:,} values differ; what was changed was named in {sum(told)} of {len(told)}",
        bound="0 differ, every change named",
        holds=holds,
    )
    assert holds


def _tuned(family: str, trials: int, workspace: Path) -> tuple[str, str]:
    where = f"workspace={workspace}"
    return str(answer("tune", f"candidate={family}", f"trials={trials}", where)["run_id"]), where


def _is_named_precisely(family: str, run: str, workspace: Path, where: str) -> bool:
    """Change one thing, and say whether the replay answers no and names that thing and nothing else.

    CatBoost is asked with another thread count, which is in its model's identity; of the others a trial is doctored.
    """
    if family == "catboost":
        replayed = answer("replay", f"run={run}", "threads=1", where)
        return replayed["exit_code"] == 3 and _named(replayed["environment"]) == ["environment.threads"]
    path = next(workspace.rglob(f"{run}/artifacts/trials.json"))
    trials = json.loads(path.read_text())
    trials[0]["value"] += 2**-52
    path.write_text(json.dumps(trials))
    replayed = answer("replay", f"run={run}", where)
    return replayed["exit_code"] == 3 and "trial 0.cv_auc" in _named(replayed["differences"])


def _named(differences: list[dict[str, Any]]) -> list[str]:
    return [str(one["what"]) for one in differences]
