"""The outcome of a verb: its exit code, summary or error, printed on the right stream."""

import contextlib
import json
import logging
import math
import os
import re
import shlex
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, TypeVar

from pipelines.command.library_errors import explained
from pipelines.command.names import check_names
from pipelines.command.workspace_path import check_workspace
from pipelines.errors import ThinfileError
from pipelines.secrets.private_files import private_umask
from pipelines.secrets.redaction import redacted

if TYPE_CHECKING:
    from rich.console import RenderableType


class Output(Enum):
    """How the outcome is printed: `text` for people, `json` for scripts."""

    text = "text"
    json = "json"


class ExitCode(IntEnum):
    """The exit code of the process."""

    DONE = 0
    FAILED = 1
    WRONG_REQUEST = 2
    ANSWER_IS_NO = 3


PLAIN_WIDTH = 110
"""Columns of a table that is written to a file or a pipe."""


@dataclass
class VerbSettings:
    """Settings of every verb."""

    workspace: str = "workspace"
    """Folder below which everything is written."""
    output: Output = Output.text
    """How the result is printed: `text` for people, `json` for scripts."""
    debug: bool = False
    """Print the traceback of an error."""


def carried(settings: VerbSettings) -> str:
    """Return the overrides that the next command needs to find the same model and workspace, each after a space.

    >>> carried(VerbSettings(workspace="/tmp/a"))
    ' workspace=/tmp/a'
    """
    return "".join(f" {shlex.quote(word)}" for word in carried_words(settings))


def carried_words(settings: VerbSettings) -> list[str]:
    """Return the same overrides as words of a command line."""
    usual = {member.name: member.default for member in fields(settings) if member.name in ("model", "workspace")}
    return [
        override(name, getattr(settings, name)) for name, value in usual.items() if getattr(settings, name) != value
    ]


def override(key: str, value: str) -> str:
    """Return an override as Hydra reads it; a value that its grammar would take apart is quoted.

    >>> override("workspace", "/tmp/a"), override("workspace", "/tmp/a=b (old)")
    ('workspace=/tmp/a', 'workspace="/tmp/a=b (old)"')
    """
    if re.fullmatch(r"[A-Za-z0-9_/.\-]+", value):
        return f"{key}={value}"
    return f"{key}={quoted(value)}"


def shell_word(key: str, value: object) -> str:
    """Return an override as a word of a shell's command line, whatever its value holds.

    >>> shell_word("data.path", "/tmp/a/table.parquet")
    'data.path=/tmp/a/table.parquet'
    >>> print(shell_word("input", "/tmp/my table"))
    'input="/tmp/my table"'
    """
    return shlex.quote(override(key, str(value)))


def quote_ids(words: Sequence[str], *keys: str) -> list[str]:
    """Return overrides with the ids of some keys in quotes: Hydra would read 35979e62 and 1_000 as numbers.

    Of a list, and of the values of --multirun, each is quoted. What is in quotes already stays.

    >>> quote_ids(["decision=35979e62", "ids=[7.0,a]", "debug=true"], "decision", "ids")
    ['decision="35979e62"', 'ids=["7.0","a"]', 'debug=true']
    """
    is_sweep = not {"-m", "--multirun"}.isdisjoint(words)
    return [_with_quoted_ids(word, is_sweep) if word.partition("=")[0] in keys else word for word in words]


def _with_quoted_ids(word: str, is_sweep: bool) -> str:
    key, equals, value = word.partition("=")
    is_list = value.startswith("[") and value.endswith("]")
    ids = value[1:-1].split(",") if is_list else value.split(",") if is_sweep else [value]
    texts = ",".join(one if not one or one[0] in "\"'" else quoted(one) for one in ids)
    return f"{key}{equals}[{texts}]" if is_list else f"{key}{equals}{texts}"


def quoted(value: str) -> str:
    """Return a text in quotes, as Hydra and OmegaConf read it back to the last character."""
    escaped = re.sub(r'(\\*)("|$)', lambda match: match[1] * 2 + (r"\"" if match[2] else ""), value)
    return f'"{escaped.replace("${", chr(92) + "${")}"'


S = TypeVar("S", bound=VerbSettings)


@dataclass(frozen=True)
class Outcome:
    """The result of a verb: `result` for scripts, `summary` for people, and what to do next."""

    result: Mapping[str, object]
    summary: Sequence["RenderableType"] = ()
    next_steps: Sequence[str] = ()
    exit_code: ExitCode = ExitCode.DONE
    error: str = field(default="", kw_only=True)


def attempt(task: Callable[[S], Outcome], settings: S) -> Outcome:
    """Run a verb's task and return its outcome; an error becomes an outcome too."""
    try:
        return perform(task, settings)
    except Exception as error:
        return failed(error, debug=settings.debug)


def perform(task: Callable[[S], Outcome], settings: S) -> Outcome:
    """Run a verb's task and return its outcome.

    What libraries print on stdout goes to stderr, so that stdout has the outcome alone.
    """
    # The umask too, for this may be a process of Hydra's launcher.
    with contextlib.redirect_stdout(sys.stderr), private_umask():
        check_workspace(settings.workspace)
        check_names(settings)
        return task(settings)


def failed(error: Exception, *, debug: bool = False) -> Outcome:
    """Return the outcome of an error: one message, no traceback unless `debug`."""
    if debug:
        print(redacted("".join(traceback.format_exception(error))), file=sys.stderr)
    if isinstance(error, ThinfileError):
        return Outcome({}, exit_code=ExitCode(error.exit_code), error=str(error))
    unexpected = f"unexpected {type(error).__name__}: {error}; run again with debug=true for the traceback"
    return Outcome({}, exit_code=ExitCode.FAILED, error=explained(error) or unexpected)


def print_outcomes(outcomes: Sequence[Outcome], output: Output, *, as_list: bool = False) -> None:
    """Print outcomes in the requested form; `as_list` makes them one JSON array, as a sweep prints them."""
    if output is Output.json:
        values = [as_json(outcome) for outcome in outcomes]
        for value in [values] if as_list else values:
            print(json.dumps(value, ensure_ascii=False))
        return
    for outcome in outcomes:
        if outcome.error:
            print(f"error: {redacted(outcome.error)}", file=sys.stderr)
        else:
            print(summary_text(outcome), end="")


def worst_exit_code(outcomes: Sequence[Outcome]) -> ExitCode:
    """Return the exit code of several jobs: failed before wrong before no before done."""
    severity = [ExitCode.FAILED, ExitCode.WRONG_REQUEST, ExitCode.ANSWER_IS_NO]
    codes = {outcome.exit_code for outcome in outcomes}
    return next((code for code in severity if code in codes), ExitCode.DONE)


def as_json(outcome: Outcome) -> dict[str, object]:
    """Return the outcome as strict JSON values: NaN, which JSON does not have, becomes null."""
    values: dict[str, object] = {"exit_code": int(outcome.exit_code)}
    if outcome.error:
        return values | {"error": redacted(outcome.error)}
    return values | {key: _finite(value) for key, value in outcome.result.items()}


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if getattr(value, "shape", None) == ():  # a number or a flag of numpy's
        return _finite(getattr(value, "item")())  # noqa: B009
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (int, float)):
        return value
    return redacted(str(value))


def summary_text(outcome: Outcome) -> str:
    """Return the summary and the next steps as they are printed."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    with console.capture() as printed:
        for part in outcome.summary:
            console.print(part, markup=False)
        if outcome.next_steps:
            console.print("next:")
        for step in outcome.next_steps:
            console.print(f"  {step}", markup=False)
    return redacted(printed.get())


class _RedactingFormatter(logging.Formatter):
    """Formats log lines without passwords."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


def log_plainly() -> None:
    """Send log lines to stderr: ours from INFO on, those of libraries from WARNING on."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, force=True)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_RedactingFormatter("%(message)s"))
    for room in ("pipelines", "experiments", "monitoring"):
        logging.getLogger(room).setLevel(logging.INFO)


def stay_private() -> None:
    """Switch off the telemetry of MLflow and Evidently, unless the environment sets THINFILE_TELEMETRY=on."""
    if os.environ.get("THINFILE_TELEMETRY") != "on":
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("DO_NOT_TRACK", "1")
