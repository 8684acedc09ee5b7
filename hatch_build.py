"""Lays out the wheel: `thinfile.py` becomes the package `thinfile`, which has all other packages inside."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FRONT = {
    "thinfile.py": "thinfile/__init__.py",
    "pipelines/command/__main__.py": "thinfile/__main__.py",
    "pipelines/py.typed": "thinfile/py.typed",
}


class WheelLayout(BuildHookInterface):
    """Adds the front of the package to a wheel; an editable one uses `thinfile.py` as it is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files of the front."""
        if version == "standard":
            build_data["force_include"].update(FRONT)
