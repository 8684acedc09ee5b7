"""A candidate family of another package, installed without a network: its folder goes onto the import path."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path

from pipelines.candidates.registry import GROUP
from pipelines.candidates.trust import package_hash
from pipelines.policy.model_settings import ModelSettings


@contextmanager
def installed(folder: Path = Path(__file__).parent) -> Iterator[None]:
    """Put a folder with a package and its dist-info onto the import path."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def trusting() -> ModelSettings:
    """Return the settings of a policy that trusts the package as it is."""
    with installed():
        (point,) = entry_points(group=GROUP, name="naive_bayes")
        return ModelSettings(families={"thinfile-naive-bayes": package_hash(point)})
