"""A batch that was stopped from outside is finished by the same command, as if nothing had happened."""

import json
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.evidence.batch_inputs import content, plain_parts, reopen
from tests.evidence.commands import COMMAND, answer, killed, seconds_of
from tests.evidence.conftest import Evidence
from tests.pipelines.batch.conftest import Bench, made

pytestmark = pytest.mark.integration  # whole commands, run again and again

Batch = tuple[Bench, tuple[str, ...]]


@pytest.fixture
def batch(tmp_path: Path) -> Callable[..., Batch]:
    """Return a workspace with a champion and the command that scores a table of some parts."""

    def make(groups: int, last: int = 0) -> Batch:
        bench = made(tmp_path, "catboost")
        plain_parts(tmp_path / "in" / "a.parquet", groups, 100_000, repeated=0 if last else 50)
        if last:
            plain_parts(tmp_path / "in" / "b.parquet", 1, last, prefix="b")
        words = ("score", "period=2026-10", f"input={tmp_path / 'in'}", f"workspace={bench.workspace.root}")
        return bench, (*words, "population=book", "data.id=application_id")

    return make


def test_killed_at_random_moments_the_log_is_that_of_an_undisturbed_run(
    evidence: Evidence, batch: Callable[..., Batch]
) -> None:
    bench, words = batch(evidence.size(full=24, reduced=3))
    kills = evidence.size(full=30, reduced=1)
    duration = seconds_of(*words)
    expected = content(bench)
    (manifest,) = (bench.workspace.score_log / "manifests").rglob("*.json")
    told = json.loads(manifest.read_text())
    opened = {"opened": told["opened"], "input": told["input"], "closed": False}
    opening = {str(manifest.relative_to(bench.workspace.score_log)): json.dumps(opened, indent=1)}
    generator, moments, agreed = np.random.default_rng(45), [], 0
    while len(moments) < kills:
        reopen(bench, opening)
        moment = float(generator.uniform(duration / 4, duration))
        if not killed(moment, *words):  # it was faster this time, and there was nothing to kill
            continue
        moments.append(moment)
        again = answer(*words)
        agreed += content(bench) == expected and again["scored"] + again["already_logged"] == told["scored"]
    evidence.record(
        "45-batch-kill",
        claim="score of 24 parts killed (kill -9, all its processes) at 30 random moments: after the same command "
        "every file of the score log is that of an uninterrupted run, byte for byte",
        value=f"{agreed} of {kills}, killed {min(moments):.1f} s to {max(moments):.1f} s into {duration:.1f} s",
        bound="all",
        holds=agreed == kills,
    )
    assert agreed == kills


def test_where_the_disk_is_full_what_was_done_is_whole(evidence: Evidence, batch: Callable[..., Batch]) -> None:
    # files may not grow beyond 10 MB: there is room for parts of 100,000 rows and none for the last one, of 200,000
    bench, words = batch(evidence.size(full=12, reduced=2), last=200_000)
    run = subprocess.run(
        [*COMMAND, *words],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000_000, 10_000_000)),
    )
    (error,) = [line for line in run.stderr.splitlines() if line.startswith("error:")]
    before = {name: told for name, told in content(bench).items() if name.startswith(("decisions", "profiles"))}
    left = [path for path in bench.workspace.score_log.rglob(".*") if "~" in path.name]
    again = answer(*words)
    after = content(bench)
    decided = [name for name in before if name.startswith("decisions")]
    holds = (
        run.returncode == 1
        and "is full" in error
        and "Traceback" not in run.stderr
        and not left
        and len(decided) > 0
        and all(after[name] == told for name, told in before.items())
        and again["scored"] > 0
        and again["rows_in"] == again["scored"] + again["already_logged"] + sum(again["quarantined"].values())
    )
    evidence.record(
        "46-full-disk",
        claim="score where the system lets no file grow large enough for the last part: one message with exit code 1, "
        "parts that were done stay as they are, the same command with room finishes",
        value=f"{len(decided)} parts unchanged; exit code {run.returncode}, {error.partition(',')[0]}",
        bound="as claimed",
        holds=holds,
    )
    assert holds, (run.returncode, error, left, sorted(before), sorted(after))
