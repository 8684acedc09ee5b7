"""Ships Thinfile's packages to the executors of Spark, which need the libraries and not Thinfile itself."""

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.command.own_packages import ROOT

if TYPE_CHECKING:
    from pyspark import SparkContext

PACKAGES = ("pipelines", "experiments", "monitoring")

FOLDER = "thinfile_packages"
"""The folder of the packages among the files of an executor."""


def ship_packages(context: "SparkContext", scratch: Path) -> None:
    """Let the executors import the packages of this process before others of their names.

    Spark unpacks the archive once for each executor: programs that are started by their path, such as that of a model
    which another tool logged, need files. A context that has the packages already is left as it is.
    """
    includes = context._python_includes
    if includes is None or FOLDER in includes:
        return
    archive = scratch / f"{FOLDER}.zip"
    write_packages(archive)
    context.addArchive(f"{archive.as_uri()}#{FOLDER}")
    includes.append(FOLDER)  # what addPyFile does for an archive that stays packed


def write_packages(archive: Path) -> None:
    """Write the source files of the packages into a zip file."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for package in PACKAGES:
            for path in sorted((ROOT / package).rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    packed.write(path, path.relative_to(ROOT))
