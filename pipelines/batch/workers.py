"""Where parts are scored: in this process, in a pool of processes, or on Spark's executors."""

import gc
import multiprocessing
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from pipelines.batch.part import Batch, Task, opened, score_parts
from pipelines.engine.spark_settings import SparkSettings
from pipelines.errors import ThinfileError
from pipelines.score_log.receipts import Receipt
from pipelines.storage.process import end_with_parent

Receipted = Generator[list[Receipt], None, None]

Work = Callable[[Batch, Sequence[Task]], Receipted]
"""Scores tasks of a batch and yields the receipts of each as it is done, in no order; closed, it waits for the rest."""


def in_this_process(batch: Batch, tasks: Sequence[Task]) -> Receipted:
    """Score tasks one after the other."""
    return (score_parts(batch, task) for task in tasks)


@contextmanager
def pool(processes: int, champion: bytes) -> Iterator[Work]:
    """Yield what scores tasks in so many processes, each of which opens the champion once."""
    # Processes are started afresh: a fork would copy the locks of pyarrow's threads as they happen to be.
    spawned = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(processes, spawned, initializer=_begin, initargs=(champion,))
    try:
        yield partial(_in_pool, executor)
    finally:
        executor.shutdown(cancel_futures=True)


@contextmanager
def on_spark(threads: int, memory: str, scratch: Path, settings: SparkSettings) -> Iterator[Work]:
    """Yield what scores tasks on Spark's executors, which must see the workspace and the input under the same paths."""
    from pipelines.engine.spark_engine import map_on_spark, session

    with session(threads, memory, scratch, settings) as spark:
        yield lambda batch, tasks: map_on_spark(spark, partial(score_parts, batch), tasks)


def _in_pool(executor: ProcessPoolExecutor, batch: Batch, tasks: Sequence[Task]) -> Receipted:
    jobs = [executor.submit(score_parts, batch, task) for task in tasks]
    try:
        for job in as_completed(jobs):
            yield job.result()
    except BrokenProcessPool:
        raise ThinfileError(
            "a worker process was killed (out of memory?); run the same command with threads=1, finished parts are kept"
        ) from None
    finally:  # what runs would write its part after the others were withdrawn
        wait([job for job in jobs if not job.cancel()])


def _begin(champion: bytes) -> None:
    """Prepare a process of the pool: the pool is the parallelism, so that libraries have a thread each."""
    import pyarrow as pa

    end_with_parent()
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    opened(champion)
    gc.collect()
    gc.freeze()  # what is there stays: it need not be gone through again and again
