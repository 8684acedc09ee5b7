"""What was measured is kept line by line, and a benchmark that was stopped goes on with what is missing."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.benchmarks.opponents import measure as measuring
from tests.benchmarks.opponents.data_sets import GERMAN
from tests.benchmarks.opponents.measure import measure
from tests.benchmarks.opponents.measured import append, read_measured
from tests.benchmarks.opponents.plan import Run
from tests.benchmarks.opponents.rows import Rows
from tests.benchmarks.opponents.systems import BAG_BLEND, Result, System, Task

ROWS = Rows("table.parquet", "codes.parquet", development=700, tested=300, bad=90, part="p")


def prints(text: str, code: str = "v1") -> System:
    def read(printed: str, _: Task) -> Result:
        return Result(float(printed), {})

    return System("Thinfile", lambda: code, lambda _: [sys.executable, "-c", f"print({text})"], read)


@pytest.fixture
def run_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[float | None]]:
    """Measure one system for some seeds in a folder and return the AUC of each."""
    monkeypatch.setattr(measuring, "rows_of", lambda *_: ROWS)
    monkeypatch.setattr(measuring, "wait_until_quiet", lambda _: 0.0)

    def run(system: System, seeds: int) -> list[float | None]:
        return [one.auc for one in measure(tmp_path, [Run(GERMAN, seed, 60, system) for seed in range(seeds)])]

    return run


def test_only_what_is_missing_is_measured(run_all: Callable[..., list[float | None]], tmp_path: Path) -> None:
    assert run_all(prints("0.7"), 1) == [0.7]
    assert run_all(prints("0.8"), 2) == [0.7, 0.8]
    assert run_all(prints("0.9", code="v2"), 1) == [0.9]
    assert [(one.seed, one.auc, one.shared) for one in read_measured(tmp_path / "measured.jsonl")] == [
        (0, 0.7, 3 / 7),
        (1, 0.8, 3 / 7),
        (0, 0.9, 3 / 7),
    ]


def test_a_failure_is_recorded_and_tried_again(run_all: Callable[..., list[float | None]], tmp_path: Path) -> None:
    assert run_all(prints("1/0"), 1) == [None]
    assert run_all(prints("'no number'"), 1) == [None]
    failures = [one.details["failure"] for one in read_measured(tmp_path / "measured.jsonl")]
    assert "ZeroDivisionError" in failures[0]
    assert "no number" in failures[1]
    assert run_all(prints("0.7"), 1) == [0.7]


def test_a_line_that_was_cut_off_is_measured_again(run_all: Callable[..., list[float | None]], tmp_path: Path) -> None:
    run_all(prints("0.7"), 2)
    file = tmp_path / "measured.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    assert [one.seed for one in read_measured(file)] == [0]
    assert run_all(prints("0.8"), 2) == [0.7, 0.8]
    (first, _) = read_measured(file)
    append(file, first)
    assert len(list(read_measured(file))) == 3


def test_the_last_blend_is_the_result() -> None:
    printed = (
        "   4.1 s  lightgbm    out of fold 0.78 test 0.77   blend [0] out of fold 0.78412 test 0.77851\n"
        "  11.0 s  catboost    out of fold 0.78 test 0.77   blend [0, 1, 0] out of fold 0.78512 test 0.77901\n"
    )
    task = Task(ROWS, (), 60, 0, Path())
    assert BAG_BLEND.read(printed, task) == Result(0.77901, {"trace": [(4.1, 0.77851), (11.0, 0.77901)]})
