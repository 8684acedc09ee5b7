"""What a number was made with, so that it can be made again."""

import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipelines.command.own_packages import ROOT
from pipelines.secrets.redaction import redacted_override

PACKAGES = (
    "mlflow",
    "optuna",
    "scikit-learn",
    "evidently",
    "hydra-core",
    "numpy",
    "pandas",
    "scipy",
    "pyarrow",
)


def provenance(threads: int, packages: Iterable[str] = ()) -> dict[str, object]:
    """Return the commit, the versions of Python and of libraries, the machine and the thread count.

    `packages` are libraries to record besides PACKAGES.
    """
    return {
        "git_commit": git_commit(),
        "python": platform.python_version(),
        "packages": {package: _version(package) for package in dict.fromkeys([*PACKAGES, *packages])},
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "threads": threads,
        "command": " ".join(map(redacted_override, sys.argv)),
    }


def own_version() -> str:
    """Return the version of this package, `unknown` where it runs without being installed."""
    return _version("thinfile")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def git_commit() -> str:
    """Return the commit of the code that runs, `+` when files differ from it, `unknown` outside a clone."""
    if not (ROOT / ".git").exists():
        return "unknown"
    try:
        commit = _git(ROOT, "rev-parse", "HEAD")
        changed = _git(ROOT, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+" if changed else "")


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True, check=True).stdout.strip()
