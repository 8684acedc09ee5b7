"""Makes the parts of a simulation, in this process or in several; none outlives the one that asked for it."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from pipelines.errors import ThinfileError
from pipelines.simulation.parts import Counts, Plan, Target, write_part
from pipelines.simulation.world import World
from pipelines.storage.process import end_with_parent


def write_parts(world: World, plan: Plan, target: Target, threads: int) -> Iterator[Counts]:
    """Write every part and yield the counts of each one as it is done, in no order.

    Raises:
        ThinfileError: a process was killed from outside, as happens when memory runs out.
    """
    if min(threads, plan.parts) == 1:
        yield from (write_part(world, plan, part, target) for part in range(plan.parts))
        return
    try:
        with _pool(min(threads, plan.parts)) as pool:
            jobs = [pool.submit(write_part, world, plan, part, target) for part in range(plan.parts)]
            for job in as_completed(jobs):
                yield job.result()
    except BrokenProcessPool:
        raise ThinfileError(
            f"one of {threads} worker processes was killed (out of memory?); run the same command with threads=1, "
            "finished parts are kept"
        ) from None


@contextmanager
def _pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    # Processes are started afresh: a fork would copy the locks of pyarrow's threads as they happen to be.
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=end_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
