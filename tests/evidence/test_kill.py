"""A search killed at any moment is finished by the same command, with the numbers of an undisturbed one."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from pipelines.storage.workspace import Workspace
from tests.evidence.commands import answer, final_of, killed, runs_of, seconds_of, trials_of
from tests.evidence.conftest import Evidence

pytestmark = pytest.mark.integration  # whole commands, run again and again

TUNE = ("tune", "candidate=scorecard", "threads=1")


def test_killed_at_random_moments_the_same_command_finishes_with_the_same_numbers(
    evidence: Evidence, tmp_path: Path
) -> None:
    kills = evidence.size(full=20, reduced=1)
    tune = (*TUNE, f"trials={evidence.size(full=30, reduced=8)}")
    undisturbed = tmp_path / "undisturbed"
    duration = seconds_of(*tune, f"workspace={undisturbed}")
    expected = final_of(Workspace.at(str(undisturbed)), answer(*tune, f"workspace={undisturbed}"))
    generator = np.random.default_rng(20)
    moments: list[float] = []
    agreed = 0
    while len(moments) < kills:
        moment, workspace = generator.uniform(0, duration), tmp_path / f"{len(moments)}"
        if not killed(
            moment, *tune, f"workspace={workspace}"
        ):  # it was faster this time, and there was nothing to kill
            shutil.rmtree(workspace)
            continue
        moments.append(moment)
        found = answer(*tune, f"workspace={workspace}")
        agreed += (
            final_of(Workspace.at(str(workspace)), found) == expected
            and trials_of(workspace) == trials_of(undisturbed)
            and runs_of(workspace) == runs_of(undisturbed)
            and not any(workspace.glob(".*"))
        )
    evidence.record(
        "05-kill",
        claim="tune killed (kill -9) at 20 random moments: the same command finishes, trials neither lost nor doubled, "
        "one version, no run left running, the numbers of an uninterrupted run",
        value=f"{agreed} of {kills} as if undisturbed, killed {min(moments):.1f} s to {max(moments):.1f} s into "
        f"{duration:.1f} s",
        bound="all",
        holds=agreed == kills,
    )
    assert agreed == kills


def test_killed_again_and_again_in_one_workspace_it_still_finishes(evidence: Evidence, tmp_path: Path) -> None:
    tune = (*TUNE, "trials=8")
    duration = seconds_of(*tune, f"workspace={tmp_path / 'undisturbed'}")
    moments = np.random.default_rng(8).uniform(duration / 3, duration, evidence.size(full=10, reduced=1))
    for moment in moments:
        killed(float(moment), *tune, f"workspace={tmp_path / 'killed'}")
    found = answer(*tune, f"workspace={tmp_path / 'killed'}")
    assert found["trials"] == 8
    assert trials_of(tmp_path / "killed") == trials_of(tmp_path / "undisturbed")
    assert runs_of(tmp_path / "killed") == runs_of(tmp_path / "undisturbed")
