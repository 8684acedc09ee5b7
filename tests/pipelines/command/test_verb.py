"""One outcome in two forms: for people and for scripts."""

import json
import subprocess
import sys
from enum import Enum
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from pipelines.command.verb import (
    ExitCode,
    Outcome,
    Output,
    VerbSettings,
    as_json,
    attempt,
    carried,
    print_outcomes,
    worst_exit_code,
)
from pipelines.errors import DataError, ThinfileError

codes = st.lists(st.sampled_from(list(ExitCode)), max_size=6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


class Colour(Enum):
    red = "red"


@given(st.dictionaries(st.text().filter(lambda key: key not in ("exit_code", "error")), json_values, max_size=4))
def test_any_result_is_strict_json(result: dict[str, object]) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)  # NaN and Infinity are not JSON

    told = json.dumps(as_json(Outcome(result)), ensure_ascii=False)
    assert set(json.loads(told, parse_constant=refuse)) == {"exit_code", *result}


def test_what_json_does_not_know_is_spelt() -> None:
    told = as_json(Outcome({"path": Path("a/b"), "colour": Colour.red, "rows": (1, 2), "by": {1: float("inf")}}))
    assert told == {"exit_code": 0, "path": "a/b", "colour": "red", "rows": [1, 2], "by": {"1": None}}


def test_an_error_hides_a_half_made_result() -> None:
    assert as_json(Outcome({"half": 1}, exit_code=ExitCode.FAILED, error="why")) == {"exit_code": 1, "error": "why"}


@given(codes)
def test_the_worst_code_is_one_of_them_and_no_better_than_any(found: list[ExitCode]) -> None:
    worst = worst_exit_code([Outcome({}, exit_code=code) for code in found])
    severity = [ExitCode.DONE, ExitCode.ANSWER_IS_NO, ExitCode.WRONG_REQUEST, ExitCode.FAILED]
    assert severity.index(worst) == max((severity.index(code) for code in found), default=0)


def test_people_get_a_summary_and_the_next_steps_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("model", "AUC")
    table.add_row("a", "0.75")
    outcome = Outcome(
        {}, summary=["[bold]made[/bold] " + "long " * 40, table], next_steps=["thinfile watch data.x=[a]"]
    )
    print_outcomes([outcome], Output.text)
    told = capsys.readouterr()
    assert "[bold]made[/bold]" in told.out  # what stands in data is not markup
    assert "0.75" in told.out
    assert told.out.endswith("next:\n  thinfile watch data.x=[a]\n")
    assert told.err == ""


def test_several_outcomes_are_one_array(capsys: pytest.CaptureFixture[str]) -> None:
    print_outcomes([Outcome({"a": 1}), Outcome({}, exit_code=ExitCode.ANSWER_IS_NO)], Output.json, as_list=True)
    assert json.loads(capsys.readouterr().out) == [{"exit_code": 0, "a": 1}, {"exit_code": 3}]


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (DataError("the rule"), 2, "the rule"),
        (ThinfileError("the rule"), 1, "the rule"),
        (ZeroDivisionError("oh"), 1, "unexpected ZeroDivisionError: oh; run again with debug=true for the traceback"),
    ],
)
def test_whatever_a_task_raises_is_an_outcome(error: Exception, code: int, message: str) -> None:
    def task(settings: VerbSettings) -> Outcome:
        raise error

    outcome = attempt(task, VerbSettings())
    assert (outcome.exit_code, outcome.error) == (code, message)


def test_who_interrupts_is_heard() -> None:
    def task(settings: VerbSettings) -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(task, VerbSettings())


def test_only_what_differs_is_carried_to_the_next_command() -> None:
    assert carried(VerbSettings()) == ""
    assert carried(VerbSettings(workspace="/tmp/a", debug=True)) == " workspace=/tmp/a"


def test_telemetry_is_off_unless_the_user_wants_it() -> None:
    script = (
        "import os; from pipelines.command.verb import stay_private; stay_private();"
        "print(os.environ.get('MLFLOW_DISABLE_TELEMETRY'), os.environ.get('DO_NOT_TRACK'))"
    )
    for wish, expected in (("", "true 1"), ("on", "None None")):
        told = subprocess.run(
            [sys.executable, "-c", script], env={"THINFILE_TELEMETRY": wish}, capture_output=True, text=True, check=True
        )
        assert told.stdout.strip() == expected


def test_numbers_of_numpy_are_numbers() -> None:
    told = as_json(Outcome({"rows": np.int64(5), "alarm": np.bool_(True), "psi": np.float32(0.5)}))
    assert told == {"exit_code": 0, "rows": 5, "alarm": True, "psi": 0.5}
