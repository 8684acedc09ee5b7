"""Request, approve, apply, promote and rollback killed at random moments: the ledger is that of an undisturbed run."""

import json
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.experiment.settings import TuneSettings
from experiments.promotion import actions as deciding
from experiments.promotion import promote
from experiments.promotion.settings import PromoteAction, PromoteSettings
from experiments.promotion.verify import verify
from experiments.search.tune import tune
from pipelines.applications.settings import DataSettings, Source
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.command.verb import Outcome, attempt
from pipelines.policy.pack import ApprovalSettings, Claim, GateSettings, PolicySettings
from tests.evidence.conftest import Evidence
from tests.evidence.promoters import PATIENCE, in_a_process, processes

pytestmark = pytest.mark.integration

GATES = GateSettings(claim=Claim.not_inferior, auc_margin=0.3, profit_margin=1.0, minimum_auc=0.5)
ALONE = PolicySettings(name="alone", gates=GATES)
APPROVED = replace(ALONE, name="approved", approvals=ApprovalSettings(people=1))

STEPS = ("request", "approve", "apply", "rollback", "promote")
"""Commands, each given after the one before it; the last one judges and promotes in one go."""


def command(step: str, root: Path) -> Outcome:
    """Give one command, as the command line does."""

    def settings(action: PromoteAction, **more: Any) -> PromoteSettings:
        return PromoteSettings(action=action, workspace=str(root), policy=APPROVED, why="a test", **more)

    if step == "request":
        return attempt(promote.request, settings(PromoteAction.request, version=2))
    if step == "approve":
        return attempt(deciding.approve, settings(PromoteAction.approve))
    if step == "apply":
        return attempt(deciding.apply, settings(PromoteAction.apply))
    if step == "rollback":
        return attempt(deciding.rollback, settings(PromoteAction.rollback))
    return attempt(promote.promote, replace(settings(PromoteAction.decide, version=3), policy=ALONE))


def prepare(root: Path, told: Connection) -> None:
    """Make three versions, of which the first is champion."""
    data = DataSettings(source=Source.german_credit, label="creditability", bad="bad")
    for seed in (1, 2, 3):
        study = TuneSettings(workspace=str(root), data=data, candidate=ScorecardSettings(), trials=1, seed=seed)
        assert tune(study).result["version"] == seed
    first = PromoteSettings(workspace=str(root), version=1, policy=ALONE)
    told.send(promote.promote(first).result["decision"])


def run(step: str, root: Path, told: Connection) -> None:
    """Announce that a command begins, give it, and send its exit code, its duration and what verify finds after it."""
    told.send("begins")
    start = time.perf_counter()
    outcome = command(step, root)
    seconds = time.perf_counter() - start
    verified = attempt(verify, PromoteSettings(action=PromoteAction.verify, workspace=str(root)))
    told.send((int(outcome.exit_code), outcome.error, seconds, verified.result.get("findings", verified.error)))


def begun(step: str, root: Path) -> tuple[BaseProcess, Connection]:
    """Give one command in a process of its own and return it with what it sends, once it has begun."""
    context = processes()
    ours, theirs = context.Pipe(duplex=False)
    process: BaseProcess = context.Process(target=run, args=(step, root, theirs))
    process.start()
    theirs.close()
    assert ours.poll(PATIENCE)
    assert ours.recv() == "begins"
    return process, ours


def undisturbed(step: str, root: Path) -> tuple[int, str, float, Any]:
    """Give one command and return what it sent."""
    process, ours = begun(step, root)
    assert ours.poll(PATIENCE)
    sent: tuple[int, str, float, Any] = ours.recv()
    process.join(PATIENCE)
    return sent


def killed(step: str, root: Path, after: float) -> bool:
    """Give one command and kill its process some seconds after it began; return whether it was still at work."""
    process, ours = begun(step, root)
    time.sleep(after)
    process.kill()
    process.join(PATIENCE)
    try:
        ours.recv()
    except EOFError:  # nothing was sent
        return True
    return False


def ledger(root: Path) -> list[dict[str, Any]]:
    """Return the entries of the ledger without their times and the hashes that cover these."""
    with sqlite3.connect(root / "chain.db") as connection:
        query = "select content from chain where chain = 'promotions of credit_score' order by sequence"
        return [json.loads(content) for (content,) in connection.execute(query)]


def restored(copy: Path, root: Path) -> None:
    shutil.rmtree(root)
    shutil.copytree(copy, root)


@pytest.fixture
def story(tmp_path: Path) -> Callable[[str], tuple[Path, list[dict[str, Any]], float]]:
    """Return, for each step, the workspace before it, the ledger after it and its seconds, all of one calm run."""
    root = tmp_path / "workspace"
    assert in_a_process(prepare, root)[1] == "promoted"
    steps = {}
    for step in STEPS:
        before = tmp_path / f"before-{step}"
        shutil.copytree(root, before)
        code, error, seconds, findings = undisturbed(step, root)
        assert (code, error, findings) == (0, "", [])
        steps[step] = (before, ledger(root), seconds)
    return steps.__getitem__


def test_a_command_killed_at_any_moment_leaves_the_ledger_of_an_undisturbed_run(
    evidence: Evidence, story: Callable[[str], tuple[Path, list[dict[str, Any]], float]], tmp_path: Path
) -> None:
    generator = np.random.default_rng(16)
    root, points, wrong = tmp_path / "workspace", Counter[str](), []
    for number in range(evidence.size(full=40, reduced=2)):
        # given a command that is killed
        step = STEPS[number % len(STEPS)]
        before, expected, seconds = story(step)
        restored(before, root)
        while not killed(step, root, float(generator.uniform(0, seconds))):  # it ended before
            restored(before, root)
        points[step] += 1
        # when it is given again
        code, error, _, findings = undisturbed(step, root)
        # then the ledger has the same entries, evidence hashes among them, and verify finds nothing
        if code or findings or ledger(root) != expected:
            wrong.append((step, code, error, findings, len(ledger(root)) - len(expected)))
    assert [entry["decision"] for entry in expected][:2] == ["requested", "promoted"]
    evidence.record(
        "62-promotion-kill-moments",
        claim="request, approve, apply, rollback and promote killed (kill -9) at random moments and given again: the "
        "entries are those of an undisturbed run (times blanked, evidence hashes exactly), and verify finds nothing",
        value=f"{points.total() - len(wrong)} of {points.total()} in order "
        f"({', '.join(f'{count} of {step}' for step, count in points.items())})",
        bound="all",
        holds=not wrong,
    )
    assert not wrong, wrong[:3]
