"""Processes that others start for us, such as those of Hydra's launchers, import Thinfile's packages before others."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).absolute().parents[2]
"""The folder of the packages and of `conf`."""


def variables_for_children() -> dict[str, str]:
    """Return the variables with which a Python process imports Thinfile's packages first, not those of its folder."""
    paths = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {"PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), "PYTHONSAFEPATH": "1"}


@contextmanager
def found_by_children() -> Iterator[None]:
    """Let the processes that begin inside the block import Thinfile's packages first."""
    variables = variables_for_children()
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
