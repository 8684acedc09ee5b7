"""Hydra's flags: those that mean nothing here, or not together, are refused in words."""

import argparse

from pipelines.errors import ConfigurationError

MODES = ("run", "multirun", "cfg", "info")
"""Flags of which each does something else."""


def check_flags(args: argparse.Namespace) -> None:
    """Raise ConfigurationError for flags that cannot be obeyed."""
    if args.experimental_rerun:
        raise ConfigurationError(
            "--experimental-rerun reads a file of Hydra's that Thinfile does not write; repeat a run with "
            "`thinfile replay run=ID`"
        )
    if args.config_path:
        raise ConfigurationError(
            f"--config-path '{args.config_path}' would replace Thinfile's own configuration; put a folder before it "
            "with --config-dir"
        )
    modes = [f"--{mode}" for mode in MODES if getattr(args, mode)]
    if len(modes) > 1:
        raise ConfigurationError(f"{' and '.join(modes)} exclude each other; leave out {modes[0]}")
    for flag in ("resolve", "package"):
        if getattr(args, flag) and not args.cfg:
            raise ConfigurationError(f"--{flag} is an option of --cfg; add --cfg job, or leave it out")
