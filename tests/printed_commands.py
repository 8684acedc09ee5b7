"""The commands that the packages print, read from their source, and those that a real run has printed."""

import ast
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("pipelines", "experiments", "monitoring")

OF_A_STEP = ("thinfile ", "open ", "mlflow ui ", "evidently ui ", "optuna-dashboard ")
"""How the commands begin that are printed as next steps."""

IN_A_SENTENCE = re.compile(r"`(thinfile [^`]+)`|^#.*: (thinfile [^\n]+)|(pip install '[^']+')", re.MULTILINE)

NO_COMMANDS = (
    "thinfile tables",
    "thinfile chain {self.name}",
    "thinfile {name}",
    "thinfile {own_version()}",
    "thinfile tune",
)
"""Names of locks in a database, of the running program and its version, and of the source of a run in MLflow."""


@dataclass(frozen=True)
class Template:
    """A command in the source, with {expressions} for what it is told; `is_step` where it is the whole text."""

    place: str
    text: str
    is_step: bool


def templates() -> list[Template]:
    """Return the commands of all texts in the packages, docstrings aside, each once."""
    found: dict[str, Template] = {}
    for path in (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))):
        for text in _texts(ast.parse(path.read_text())):
            for one in _commands(str(path.relative_to(ROOT)), text):
                if one.is_step or one.text not in found:
                    found[one.text] = one
    return list(found.values())


def steps() -> list[str]:
    """Return the templates of next steps, without their comments."""
    return [one.text.partition("    # ")[0] for one in templates() if one.is_step]


def _commands(place: str, text: str) -> Iterator[Template]:
    if text.startswith(OF_A_STEP):
        if text.strip() != "thinfile" and text not in NO_COMMANDS:
            yield Template(place, text, is_step=True)
        return
    for groups in IN_A_SENTENCE.findall(text):
        yield from (Template(place, command, is_step=False) for command in groups if command)


def _texts(tree: ast.Module) -> Iterator[str]:
    """Yield the texts of a module, with the expressions of f-strings in braces."""
    ignored = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            ignored |= {id(value) for value in node.values}
    for node in ast.walk(tree):
        if id(node) in ignored:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(one.value) if isinstance(one, ast.Constant) else f"{{{ast.unparse(one.value)}}}"  # type: ignore[attr-defined]
                for one in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def pattern(template: str) -> re.Pattern[str]:
    """Return what matches the commands that a template makes."""
    parts = re.split(r"\{(?:[^{}]|\{[^{}]*\})*\}", template.partition("    # ")[0].rstrip())
    return re.compile(".*".join(map(re.escape, parts)) + r"(?: .*)?", re.DOTALL)


def steps_of(stdout: str) -> list[str]:
    """Return the commands that a run has printed as next steps, without their comments."""
    steps: list[str] = []
    is_step = False
    for line in stdout.splitlines():
        is_step = line == "next:" or (is_step and line.startswith("  "))
        if is_step and line != "next:":
            steps.append(line.strip().partition("    # ")[0].rstrip())
    return list(dict.fromkeys(steps))


def words_of(command: str) -> Sequence[str]:
    """Return the words that a shell would make of a command."""
    return shlex.split(command, comments=True)
