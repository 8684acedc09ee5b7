"""How many cores this process may use: those of its affinity, within the quota of its control groups."""

import os
from collections.abc import Iterator
from pathlib import Path


def usable_cores(root: Path = Path("/")) -> int:
    """Return how many cores this process may use, at least one; a share of a core is not counted."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min([float(allowed), *_quotas(root)])))


def _quotas(root: Path) -> Iterator[float]:
    """Yield the cores that each control group around this process may use, where it is limited."""
    groups = root / "sys/fs/cgroup"
    for line in _text(root / "proc/self/cgroup").splitlines():
        controllers, path = line.split(":", 2)[1:]
        if not controllers:  # version 2
            own = groups / path.lstrip("/")
            for group in (own, *own.parents):
                if group.is_relative_to(groups):
                    yield from _cores(_text(group / "cpu.max").split())
        elif "cpu" in controllers.split(","):
            for group in (groups / controllers / path.lstrip("/"), groups / controllers, groups / "cpu"):
                yield from _cores([_text(group / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")])


def _cores(quota_and_period: list[str]) -> Iterator[float]:
    if len(quota_and_period) == 2 and all(text.isdigit() for text in quota_and_period):  # else max, -1 or no file
        quota, period = map(int, quota_and_period)
        yield quota / period


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
