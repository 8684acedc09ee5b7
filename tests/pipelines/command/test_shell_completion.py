"""Completion of a command line, word by word and in real shells with a real Tab."""

import os
import pty
import select
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

import thinfile
from pipelines.command.shell_completion import SCRIPTS, completions
from pipelines.command.verbs import VERBS

TAB = b"\t"
PATIENCE = 30.0
"""Seconds to wait for what a shell shows."""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("thinfile tu", ["tune"]),
        ("thinfile --v", ["--version"]),
        ("thinfile nothing ", []),
        ("thinfile tune --mul", ["--multirun"]),
        ("thinfile promote app", ["apply", "approve"]),
        ("thinfile tune tri", ["trials="]),
        ("thinfile tune cand", ["candidate.", "candidate="]),
        ("thinfile tune candidate=cat", ["candidate=catboost"]),
        ("thinfile tune -m candidate=auto,sc", ["candidate=auto,scorecard"]),
        ("thinfile tune candidate=catboost candidate.parameters.d", ["candidate.parameters.depth="]),
        ("thinfile tune candidate=scorecard candidate.parameters.d", []),
        ("thinfile tune -m candidate=auto,blend sear", ["search="]),
        ("thinfile tune search=", ["search=best", "search=fair"]),
        ("thinfile tune +experiment=base", ["+experiment=baseline"]),
        ("thinfile tune hydra/launcher=b", ["hydra/launcher=basic"]),
        ("thinfile tune data.path=somewhere/x", []),
        ("thinfile tune data.label='a b' data=ger", ["data=german_credit"]),
    ],
)
def test_the_last_word_of_a_line_is_completed(line: str, words: list[str]) -> None:
    assert completions(line) == words


def test_a_space_begins_a_new_word() -> None:
    assert completions("thinfile ")[: len(VERBS)] == list(VERBS)
    assert {"acknowledge", "period=", "thresholds."} <= set(completions("thinfile watch "))


def test_the_users_own_choices_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "ours.yaml").write_text("defaults: [policy_schema, _self_]\nname: ours\n")
    assert completions(f"thinfile tune --config-dir={tmp_path} policy=o") == ["policy=ours"]
    monkeypatch.setenv("THINFILE_CONFIG_DIR", str(tmp_path))
    assert completions("thinfile tune policy=o") == ["policy=ours"]


def test_schemas_are_not_among_the_choices() -> None:
    assert [word for word in completions("thinfile tune policy=") if "schema" in word] == []


@pytest.mark.parametrize("before", [[], ["tune"]])
def test_another_shell_is_refused_with_those_that_are_known(
    before: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert thinfile.main([*before, "--shell-completion", "install=bsh"]) == 2
    assert "takes install=SHELL or uninstall=SHELL" in capsys.readouterr().err
    assert thinfile.main([*before, "-sc", "install=bash"]) == 0
    assert capsys.readouterr().out == SCRIPTS["bash"]


SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(thinfile --shell-completion install=bash)"'),
    "zsh": (
        ["zsh", "-f", "-i"],
        'autoload -Uz compinit && compinit -u -D && eval "$(thinfile --shell-completion install=zsh)"',
    ),
    "fish": (["fish", "--no-config", "-i"], "thinfile --shell-completion install=fish | source"),
}


@pytest.mark.integration
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("thinfile pro", "thinfile promote"),
        ("thinfile tune candidate=cat", "thinfile tune candidate=catboost"),
        ("thinfile tune candidate=catboost candidate.parameters.de", "candidate.parameters.depth="),
        ("thinfile score data.path=only_f", "thinfile score data.path=only_file.csv"),
    ],
)
def test_a_real_shell_completes_with_tab(shell: str, typed: str, completed: str, tmp_path: Path) -> None:
    command, install = SHELLS[shell]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "only_file.csv").touch()
    program = tmp_path / "bin" / "thinfile"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m thinfile "$@"\n')
    program.chmod(0o755)
    screen = _typed(command, tmp_path, install, typed.encode() + TAB, completed)
    assert completed in screen, screen


def _typed(command: list[str], folder: Path, install: str, keys: bytes, expected: str) -> str:
    """Return what a shell on a terminal shows after it installed the completion and got some keys."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        variables = os.environ | {"PATH": path, "TERM": "dumb", "HOME": str(folder), "COLUMNS": "200"}
        os.execvpe(command[0], command, variables)
    try:
        os.write(terminal, f"{install}; echo REA''DY\n".encode())
        _read(terminal, "READY")
        os.write(terminal, keys)
        return _read(terminal, expected)
    finally:
        os.close(terminal)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def _read(terminal: int, expected: str) -> str:
    """Return what a terminal shows until a text is there, or nothing was shown for long."""
    shown, until = "", time.monotonic() + PATIENCE
    while expected not in shown and time.monotonic() < until:
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 4096).decode(errors="replace").replace("\a", "")
            until = time.monotonic() + PATIENCE
    return shown
