"""The front door: one outcome on the right stream, the right exit code, the nearest names, the user's files first."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import thinfile
from pipelines.command.verb import (
    ExitCode,
    Outcome,
    Output,
    VerbSettings,
    attempt,
    failed,
    print_outcomes,
    worst_exit_code,
)
from pipelines.command.verbs import VERBS
from pipelines.errors import DataError

DONE, FAILED, WRONG, NO = (Outcome({}, exit_code=code) for code in ExitCode)


def test_usage_lists_every_verb_and_no_words_are_a_wrong_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert thinfile.main(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(f"  {verb}" in told for verb in VERBS)
    assert thinfile.main([]) == 2


def test_help_imports_nothing_heavy() -> None:
    script = "import sys, thinfile; thinfile.main(['--help']); print(sorted(sys.modules))"
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert not any(f"'{name}'" in told for name in ("hydra", "numpy", "pandas", "mlflow", "optuna", "evidently"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tuen"], "unknown verb 'tuen'; did you mean tune?"),
        (["tune", "trails=3"], "unknown key 'trails'; did you mean trials"),
        (
            ["tune", "candidate=catboost", "candidate.parameters.dept=3"],
            "unknown key 'candidate.parameters.dept'; did you mean depth?",
        ),
        (["tune", "+data.foo=1"], "unknown key 'data.foo'; known: amount, approved, as_of, bad,"),
        (["tune", "candidate=catbost"], "unknown choice candidate=catbost; did you mean catboost?"),
        (["tune", "trials=many"], "trials: Value 'many' of type 'str' could not be converted to Integer; correct"),
        (["tune", "candidate.calibration=platt"], "expected one of [none, logistic, isotonic]"),
        (["tune", "data.label=paid = no"], "; write 'data.label=\"paid = no\"'"),
        (["tune", "trials"], "an override is written key=value, received 'trials'"),
        (["score"], "period must be given, received nothing; add period=..."),
        (["score", "period=october"], "period must be a month such as 2026-10, received 'october'"),
        (["watch", "period=2026-10", "--config-dir=nowhere"], "is not a folder; create it or correct the path"),
        (["watch", "--perod=2026-10"], "unrecognized arguments: --perod=2026-10; --hydra-help lists the flags"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_wrong_word_gets_one_message_with_the_nearest_names(
    words: list[str], message: str, as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    code = thinfile.main([*words, "output=json"] if as_json else words)
    told = capsys.readouterr()
    assert code == 2
    if as_json:
        answer = json.loads(told.out)
        assert answer["exit_code"] == 2
        assert message in answer["error"]
    else:
        assert told.out == ""
        assert message in told.err
        assert len(told.err.strip().splitlines()) == 1


def test_the_users_folder_comes_before_ours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "candidate").mkdir()
    (tmp_path / "candidate" / "scorecard.yaml").write_text(
        "defaults: [scorecard_schema, _self_]\nparameters: {max_bins: 3}\n"
    )
    words = ["tune", "candidate=scorecard", f"--config-dir={tmp_path}", "--cfg", "job"]
    assert thinfile.main(words) == 0
    assert "max_bins: 3" in capsys.readouterr().out


def test_a_multirun_answers_with_one_array_and_the_worst_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["score", "--multirun", "period=2026-01,october", f"workspace={tmp_path / 'workspace'}", "output=json"]
    assert thinfile.main(words) == 2
    answers = json.loads(capsys.readouterr().out)
    assert [answer["exit_code"] for answer in answers] == [2, 2]
    assert "no champion" in answers[0]["error"]
    assert "period must be a month" in answers[1]["error"]


def test_what_libraries_print_does_not_reach_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    def noisy(settings: VerbSettings) -> Outcome:
        print("library says hello")
        return Outcome({"found": float("nan"), "nested": {"path": Path("a")}})

    print_outcomes([attempt(noisy, VerbSettings())], Output.json)
    told = capsys.readouterr()
    assert json.loads(told.out) == {"exit_code": 0, "found": None, "nested": {"path": "a"}}
    assert told.err == "library says hello\n"


def test_an_error_is_told_once_and_a_traceback_only_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    for debug in (False, True):
        print_outcomes([failed(DataError("rule, value, next step"), debug=debug)], Output.text)
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.endswith("error: rule, value, next step\n")
        assert ("DataError" in told.err) == debug
    assert failed(KeyError("x")).exit_code is ExitCode.FAILED
    assert "run again with debug=true" in failed(KeyError("x")).error


def test_the_worst_of_several_outcomes_is_the_exit_code() -> None:
    assert worst_exit_code([DONE, NO]) == 3
    assert worst_exit_code([NO, WRONG]) == 2
    assert worst_exit_code([WRONG, FAILED, NO]) == 1
    assert worst_exit_code([]) == 0


def test_what_a_verb_can_be_told_brings_no_heavy_library() -> None:
    heavy = {"pandas", "sklearn", "mlflow", "optuna", "catboost", "evidently", "matplotlib"}
    told = f"import sys, experiments.cli, monitoring.cli, pipelines.cli; print(sorted(set(sys.modules) & {heavy}))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
