"""Progress of work that takes longer than a moment: a bar on a terminal, plain lines elsewhere."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LINES = 10
"""Without a terminal, about so many lines are logged on the way."""

Advance = Callable[[int, str], None]


@contextmanager
def progress(title: str, total: int | None, log: logging.Logger) -> Iterator[Advance]:
    """Yield a function that takes how much is done so far and a few words on the state; `total` None is unknown."""
    if sys.stderr.isatty():
        with _bar(title, total) as advance:
            yield advance
    else:
        yield lambda done, words: _line(log, title, done, total, words)


@contextmanager
def _bar(title: str, total: int | None) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[words]}"), console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total, words="")
        yield lambda done, words: bar.update(task, completed=done, words=words)


def _line(log: logging.Logger, title: str, done: int, total: int | None, words: str) -> None:
    if total is None:
        log.info("%s %d %s", title, done, words)
        return
    step = max(total // LINES, 1)
    if done % step == 0 or done == total:
        log.info("%s %d/%d %s", title, done, total, words)
