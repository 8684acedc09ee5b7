"""How busy the machine is: figures of a search count only where nothing else used its cores."""

import os
import platform
import time
from pathlib import Path

QUIET = 0.2
"""Cores that others may use when a search starts."""

STAT = Path("/proc/stat")
TICKS = os.sysconf("SC_CLK_TCK")


def machine() -> dict[str, object]:
    """Return what the machine is."""
    return {"cores": len(os.sched_getaffinity(0)), "processor": _processor(), "system": platform.platform(),
            "python": platform.python_version()}  # fmt: skip


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def busy_seconds() -> float:
    """Return the processor time of all processes since the machine was started, 0 where it is unknown."""
    if not STAT.exists():
        return 0.0
    user, nice, system, _, _, irq, softirq, *_ = map(int, STAT.read_text().split("\n", 1)[0].split()[1:])
    return (user + nice + system + irq + softirq) / TICKS


def busy_cores(seconds: float = 2.0) -> float:
    """Return how many cores are in use, on average over some seconds."""
    before, start = busy_seconds(), time.perf_counter()
    time.sleep(seconds)
    return (busy_seconds() - before) / (time.perf_counter() - start)


def wait_until_quiet(patience: float) -> float:
    """Wait for the other processes, for so many seconds at most; return how many cores they use then."""
    end = time.monotonic() + patience
    busy = busy_cores()
    while busy > QUIET and time.monotonic() < end:
        time.sleep(min(10.0, max(end - time.monotonic(), 0.0)))
        busy = busy_cores()
    return busy
