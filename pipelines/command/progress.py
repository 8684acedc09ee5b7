"""Progress of work that takes longer than a moment: a bar on a terminal, plain lines elsewhere."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

LINES = 10
"""Without a terminal, about so many lines are logged on the way."""

Advance = Callable[[int, str], None]


@contextmanager
def progress(title: str, total: int | None, log: logging.Logger, *, has_clock: bool = True) -> Iterator[Advance]:
    """Yield a function that takes how much is done so far and a few words on the state; `total` None is unknown.

    With `has_clock` a bar has an estimate of the remaining time, which is left out where the words name it.
    """
    if sys.stderr.isatty():
        with _bar(title, total, has_clock=has_clock) as advance:
            yield advance
    else:
        yield _Lines(title, total, log)


@contextmanager
def _bar(title: str, total: int | None, *, has_clock: bool) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    whole = Column(no_wrap=True)  # a narrow terminal shortens the bar and not the words
    columns = [TextColumn("{task.description}", table_column=whole), BarColumn(bar_width=None)]
    columns += [MofNCompleteColumn(table_column=whole)]
    columns += [TimeRemainingColumn(table_column=whole)] if has_clock and total is not None else []
    words = TextColumn("{task.fields[words]}", table_column=whole)
    with Progress(*columns, words, console=Console(stderr=True), expand=True) as bar:
        task = bar.add_task(title, total=total, words="")
        yield lambda done, words: bar.update(task, completed=done, words=words)


@dataclass
class _Lines:
    """Logs a line now and then: about `LINES` in all, or of an unknown total each of the first 10, every 10th of 100.

    Work that counts several at once may pass over the number of a line; the next one is logged then.
    """

    title: str
    total: int | None
    log: logging.Logger
    logged: int = 0

    def __call__(self, done: int, words: str) -> None:
        step = 10 ** (len(str(done)) - 1) if self.total is None else max(self.total // LINES, 1)
        if done // step > self.logged // step or done == self.total:
            self.logged = done
            self.log.info("%s %s %s", self.title, done if self.total is None else f"{done}/{self.total}", words)
