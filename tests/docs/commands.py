"""The command blocks of the README and the documentation."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"(<!-- not run: [^>]+ -->\n)?```console\n(.*?)```", re.DOTALL)
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"(?<!`)`(thinfile [^`]+)`(?!`)")
PLACEHOLDERS = {"policy=NAME": "policy=default", "=N ": "=1 ", "=ID ": "=1 "}


@dataclass(frozen=True)
class Block:
    """The commands of one block, each as one line without its prompt; with a reason the page marks it as not run."""

    page: Path
    commands: tuple[str, ...]
    reason: str

    @property
    def is_run(self) -> bool:
        """Whether the commands are run page by page."""
        return not self.reason


def blocks() -> Iterator[Block]:
    """Yield the blocks of all pages, in order."""
    for page in PAGES:
        for mark, text in BLOCK.findall(page.read_text()):
            lines = text.replace("\\\n", " ").splitlines()
            yield Block(page, tuple(line[2:] for line in lines if line.startswith("$ ")), _reason(mark))


def _reason(mark: str) -> str:
    return mark.strip().removeprefix("<!-- not run: ").removesuffix(" -->")


def in_sentences() -> Iterator[str]:
    """Yield the commands that sentences of the pages name, but for those that show how a command is made.

    A placeholder has a value.
    """
    for page in PAGES:
        for text in INLINE.findall(page.read_text()):
            for command in " ".join(text.split()).split(" && "):
                if not re.search(r" VERB|--help|--shell-completion|--config-dir=FOLDER", command):
                    yield _filled(command)


def _filled(command: str) -> str:
    command = f"{command} "
    for placeholder, value in PLACEHOLDERS.items():
        command = command.replace(placeholder, value)
    return command.strip()


def unmarked() -> Iterator[tuple[str, str]]:
    """Yield page and line of commands in blocks that are no console's, which no test would run."""
    for page in PAGES:
        for language, text in FENCE.findall(page.read_text()):
            if language != "console":
                lines = [line for line in text.splitlines() if line.startswith(("thinfile ", "$ "))]
                yield from ((page.name, line) for line in lines if "--shell-completion" not in line)


def words_of(command: str) -> list[str]:
    """Return a command as words, without its comment."""
    return shlex.split(command, comments=True)
