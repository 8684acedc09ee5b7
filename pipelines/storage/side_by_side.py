"""Runs tasks side by side in threads, such as fits, which release the interpreter while they compute."""

import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_worker = threading.local()
"""Marks the threads that run tasks: what a task runs side by side in turn runs in its own thread."""


def threads_of_each(tasks: int, threads: int) -> int:
    """Return how many of the threads each of some tasks has while as many of the tasks run as there are threads.

    Two fits of one thread take less processor time than one fit of two threads, twice.

    >>> threads_of_each(5, 2), threads_of_each(1, 2), threads_of_each(5, 16)
    (1, 2, 3)
    """
    return max(1, threads // max(1, tasks))


def side_by_side(tasks: Sequence[Callable[[], T]], threads: int) -> Generator[T]:
    """Yield what the tasks return, in their order, while as many of them run as there are threads.

    What the consumer no longer needs is not started. An interruption does not wait for the tasks that run.
    """
    if threads <= 1 or len(tasks) < 2 or getattr(_worker, "runs", False):
        yield from (task() for task in tasks)
        return
    executor = ThreadPoolExecutor(min(threads, len(tasks)))
    is_interrupted = False
    try:
        yield from executor.map(_run, tasks)
    except KeyboardInterrupt:
        is_interrupted = True
        raise
    finally:
        executor.shutdown(wait=not is_interrupted, cancel_futures=True)


def _run(task: Callable[[], T]) -> T:
    _worker.runs = True
    return task()
