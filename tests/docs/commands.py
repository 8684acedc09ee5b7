"""The command blocks of the README and the documentation."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"(<!-- not run: [^>]+ -->\n)?```console\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """The commands of one block, each as one line without its prompt; `is_run` unless the page marks it as not run."""

    page: Path
    commands: tuple[str, ...]
    is_run: bool


def blocks() -> Iterator[Block]:
    """Yield the blocks of all pages, in order."""
    for page in PAGES:
        for mark, text in BLOCK.findall(page.read_text()):
            lines = text.replace("\\\n", " ").splitlines()
            yield Block(page, tuple(line[2:] for line in lines if line.startswith("$ ")), not mark)


def words_of(command: str) -> list[str]:
    """Return a command as words, without its comment."""
    return shlex.split(command, comments=True)
