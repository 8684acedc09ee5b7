"""Folders of the lake: each belongs to the verb that wrote into it first."""

from pathlib import Path

from pipelines.errors import ConfigurationError

TRACES = {
    "simulate": ("raw tables", ("customers", "customers.parquet", "customers.csv")),
    "prepare": ("prepared tables", ("clean", "prepared", "intake.json")),
}
"""What each verb writes, and the files that show it. A user's raw tables look like simulated ones."""


def check_own_folder(folder: Path, verb: str) -> None:
    """Raise ConfigurationError where a folder holds what another verb would write over, or through."""
    for other, (held, traces) in TRACES.items():
        if other != verb and any((folder / name).exists() for name in traces):
            raise ConfigurationError(
                f"name={folder.name} is the folder '{folder}', which holds {held}; choose another folder for {verb}, "
                f"for example name={folder.name}-{verb}d"
            )
