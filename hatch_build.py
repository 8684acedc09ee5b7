"""Lays out the wheel: `thinfile.py` becomes the package `thinfile`, which has all other packages inside."""

import re
from pathlib import Path
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
            build_data["force_include"][str(self._types())] = "thinfile/__init__.pyi"

    def _types(self) -> Path:
        """Write what a type checker reads of the front: it finds the packages inside `thinfile` alone."""
        source = (Path(self.root) / "thinfile.py").read_text()
        types = Path(self.root) / "build" / "__init__.pyi"
        types.parent.mkdir(exist_ok=True)
        types.write_text(re.sub(r"from (pipelines|experiments|monitoring)\b", r"from thinfile._packages.\1", source))
        return types
