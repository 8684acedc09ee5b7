"""What a study costs beside its fits, and how it shares the cores with its workers and with other processes."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pytest

from experiments.search.space import space_of
from experiments.search.study import Study
from experiments.search.trial_result import Objective, ObjectiveValue, Parameters, starting_with
from pipelines.candidates.families.catboost import CatBoostParameters
from pipelines.candidates.settings import Range
from pipelines.storage.workspace import Workspace
from tests.evidence.commands import seconds_of
from tests.evidence.conftest import Evidence

SECONDS_OF_A_TRIAL = 0.5

RANGES = {
    "iterations": Range(50, 1000, log=True),
    "depth": Range(3, 8),
    "learning_rate": Range(0.01, 0.3, log=True),
    "l2_leaf_reg": Range(1, 50, log=True),
}


def answers_at_once() -> Objective:
    def score(parameters: Parameters, _: object) -> ObjectiveValue:
        return ObjectiveValue(-abs(parameters["depth"] - 5) - abs(parameters["learning_rate"] - 0.1))

    return score


def test_sampler_and_store_take_less_than_a_tenth_of_a_long_study(evidence: Evidence, tmp_path: Path) -> None:
    trials = evidence.size(full=1000, reduced=100)
    clock = time.perf_counter if evidence.full else time.process_time  # other tests may run beside a reduced one
    space = space_of(CatBoostParameters(), RANGES)
    study = Study(Workspace(tmp_path), "long", space, guide=starting_with({}), seed=0)
    began = clock()
    for _ in study.run(answers_at_once(), trials):
        pass
    seconds = clock() - began
    share = seconds / (seconds + trials * SECONDS_OF_A_TRIAL)
    evidence.record(
        "72-study-cost",
        claim=f"sampler and store of a study of 1,000 trials of {SECONDS_OF_A_TRIAL} s each, on SQLite",
        value=f"{share:.1%} of the time ({seconds / trials * 1e3:.0f} ms a trial)",
        bound="under 10%",
        holds=share < 0.1,
    )
    assert share < 0.1


@contextmanager
def busy_process() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.mark.integration
def test_a_study_beside_a_busy_process_takes_at_most_two_and_a_half_times_as_long(
    evidence: Evidence, boosted_search: tuple[str, ...], tmp_path: Path
) -> None:
    tune, ratios = (*boosted_search, f"trials={evidence.size(full=24, reduced=4)}"), []
    for number in range(evidence.size(full=7, reduced=1)):
        alone = seconds_of(*tune, f"workspace={tmp_path / f'{number}alone'}")
        with busy_process():
            beside = seconds_of(*tune, f"workspace={tmp_path / f'{number}beside'}")
        ratios.append(beside / alone)
    evidence.record(
        "73-busy-machine",
        claim="a study of fits of two threads on two cores, beside a process that keeps a core busy, against alone",
        value=f"{median(ratios):.2f} times as long",
        bound="at most 2.5 times",
        holds=median(ratios) <= 2.5,
    )
    assert median(ratios) <= 2.5


@pytest.mark.integration
def test_two_workers_of_one_thread_are_faster_than_one_of_two(
    evidence: Evidence, boosted_search: tuple[str, ...], tmp_path: Path
) -> None:
    tune, ratios = (*boosted_search, f"trials={evidence.size(full=24, reduced=4)}"), []
    for number in range(evidence.size(full=7, reduced=1)):
        one = seconds_of(*tune, "workers=1", "threads=2", f"workspace={tmp_path / f'{number}one'}")
        two = seconds_of(*tune, "workers=2", "threads=1", f"workspace={tmp_path / f'{number}two'}")
        ratios.append(two / one)
    evidence.record(
        "74-workers",
        claim="two workers of one thread against one worker of two threads, 24 trials on 20,000 rows and two cores",
        value=f"{median(ratios):.2f} of the time",
        bound="faster",
        holds=median(ratios) < 1,
    )
    assert median(ratios) < (1 if evidence.full else 2)
