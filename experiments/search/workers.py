"""Processes of this host that work on a study beside this one, within one budget of cores."""

import logging
import os
import pickle
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context

from pipelines.storage.cores import usable_cores
from pipelines.storage.process import end_with_parent

log = logging.getLogger(__name__)

THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What libraries read when they are loaded: how many threads they start where nothing else is set."""

SECONDS_TO_END = 10.0
"""A worker ends by itself when its study does; one that has not after this long is killed."""


@contextmanager
def other_workers(work: Callable[[], None], *, workers: int, threads: int) -> Iterator[None]:
    """Run `work`, which is pickled, in all workers but this one, until `work` or the block ends.

    The cores that this process may use are divided between the workers. A worker that dies is reported: its trial is
    run again by the others.
    """
    cores = usable_cores()
    if workers > 1 and workers * threads > cores:
        log.warning("%d workers with threads=%d share %d cores; threads=%d is faster",
                    workers, threads, cores, max(1, cores // workers))  # fmt: skip
    limits = dict.fromkeys(THREAD_LIMITS, str(max(1, cores // workers)))
    context = get_context("spawn")  # a forked process would inherit the locks of threads
    processes = [
        context.Process(target=_work, args=(pickle.dumps(work), limits), daemon=True) for _ in range(workers - 1)
    ]
    for process in processes:
        process.start()
    try:
        yield
        for process in processes:
            process.join(SECONDS_TO_END)
        codes = [process.exitcode for process in processes if process.exitcode]
        if codes:
            log.warning("%d of %d workers ended early (exit code %d)", len(codes), workers, codes[0])
    finally:
        for process in processes:
            process.kill()
            process.join()


def _work(work: bytes, limits: Mapping[str, str]) -> None:
    """Work in a process of its own, which the terminal does not interrupt: the process that started it ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    os.environ.update(limits)  # before the libraries are loaded that the work needs
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    task: Callable[[], None] = pickle.loads(work)
    task()
