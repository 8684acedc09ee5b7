"""Whether a policy trusts the package that declares a candidate family: by its name and the hash of its files."""

import json
import re
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from pipelines.errors import RequestError
from pipelines.policy.model_settings import ModelSettings

OF_AN_INSTALLATION = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
"""Files that an installer writes, which differ between installations of the same package."""


def is_trusted(point: EntryPoint, models: ModelSettings) -> bool:
    """Return whether a policy names the package of an entry point with the hash of its files."""
    return point.dist is not None and _named(point, models) == package_hash(point)


def require_trusted(point: EntryPoint, models: ModelSettings) -> None:
    """Raise RequestError unless a policy names the package of an entry point with the hash of its files."""
    if is_trusted(point, models):
        return
    package = point.dist.name if point.dist else "unknown"
    named, actual = _named(point, models), package_hash(point)
    problem = f"has the hash {actual}, and the policy names {named}" if named else "is not trusted by the policy"
    trusted = json.dumps({package: actual})
    raise RequestError(
        f"the candidate family '{point.name}' is code of the package '{package}', which {problem}; if you trust it, "
        f"name it in the policy: 'policy.models.families={trusted}'"
    )


def package_hash(point: EntryPoint) -> str:
    """Return the SHA-256 of the files of the package that declares an entry point, without compiled Python."""
    from pipelines.storage.fingerprint import fingerprint_files  # brings pandas, which settings do without

    return fingerprint_files({name: path for name, path in _files(point) if _counts(name) and path.is_file()})


def _named(point: EntryPoint, models: ModelSettings) -> str | None:
    """Return the hash that a policy has for the package, whose name may be written in several ways."""
    package = _normalised(point.dist.name) if point.dist else None
    return next((value for name, value in models.families.items() if _normalised(name) == package), None)


def _normalised(name: str) -> str:
    """Return the one spelling of a package's name (PEP 503).

    >>> _normalised("Naive_Bayes.two")
    'naive-bayes-two'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def _files(point: EntryPoint) -> Iterator[tuple[str, Path]]:
    """Yield the files that were installed, and those of the module that is imported, listed as installed or not."""
    for file in (point.dist.files if point.dist else None) or ():
        yield file.as_posix(), Path(str(file.locate()))
    top = point.module.partition(".")[0]
    spec = find_spec(top)
    if spec is None:
        return
    for folder in spec.submodule_search_locations or ():
        for path in Path(folder).rglob("*"):
            yield f"{top}/{path.relative_to(folder).as_posix()}", path
    if not spec.submodule_search_locations and spec.origin:
        yield Path(spec.origin).name, Path(spec.origin)


def _counts(name: str) -> bool:
    path = PurePosixPath(name)
    is_compiled = path.suffix == ".pyc" or "__pycache__" in path.parts
    return not is_compiled and path.name not in OF_AN_INSTALLATION and ".." not in path.parts
