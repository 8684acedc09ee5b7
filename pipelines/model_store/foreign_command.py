"""The command that starts the process of a model that another tool logged, in one of several ways."""

import json
import os
import shutil
import site
import sys
from dataclasses import asdict
from pathlib import Path

from pipelines.model_store import foreign_worker, isolation
from pipelines.model_store.isolation import Plan, outermost
from pipelines.model_store.system_calls import filter_of_system_calls
from pipelines.policy.model_settings import ModelSettings

MODEL, WORKER, GUARD = "/model", "/foreign_worker.py", "/isolation.py"
"""Where an isolated process finds the model's folder and its programs."""

OWN, BUBBLEWRAP, NONE = "own", "bwrap", "none"
"""Ways to keep a process apart, in the order in which they are tried: namespaces by Thinfile or by bubblewrap, none."""

ENVIRONMENT = {
    "HOME": "/tmp",
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/bin:/bin",
    "USER": "model",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    # Each thread of a pool reserves memory, which counts against the limit.
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "MALLOC_ARENA_MAX": "2",
}

OF_NUMBERS = ("OPENBLAS_CORETYPE", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "NPY_DISABLE_CPU_FEATURES")
"""Variables that are passed on: with them the process computes to the last digit as Thinfile does."""


def command_of(way: str, plan: Plan) -> list[str]:
    """Return the command that starts a plan: the guard, or bubblewrap which starts the guard."""
    script = str(Path(str(isolation.__file__)).resolve())
    if way != BUBBLEWRAP:
        return [sys.executable, "-I", "-S", script, json.dumps(asdict(plan))]
    paths = [path for name in outermost([*isolation.LOADER, *plan.folders]) for path in ("--ro-bind", name, name)]
    links = [path for path in map(Path, isolation.LOADER) if path.is_symlink()]
    placed = {**plan.placed, GUARD: script}
    return [
        str(shutil.which(BUBBLEWRAP)),
        *("--unshare-all", "--die-with-parent", "--cap-drop", "ALL"),
        *paths,
        *(word for path in links for word in ("--symlink", str(path.readlink()), str(path))),
        *(word for path in isolation.DEVICES for word in ("--dev-bind", path, path)),
        *(word for path, source in placed.items() for word in ("--ro-bind", source, path)),
        *("--size", str(isolation.SCRATCH), "--tmpfs", "/tmp", "--remount-ro", "/", "--chdir", "/tmp", "--"),
        *(plan.command[0], "-I", "-S", GUARD, json.dumps(asdict(plan))),
    ]


def plan_of(folder: Path, files: tuple[int, int], settings: ModelSettings, way: str) -> Plan:
    """Return what the process executes: the interpreter itself, without what a virtual environment would run first.

    Raises:
        IsolationUnavailable: system calls cannot be filtered on this architecture.
    """
    interpreter, worker = os.path.realpath(sys.executable), str(Path(str(foreign_worker.__file__)).resolve())
    packages = [path for path in (*site.getsitepackages(), site.getusersitepackages()) if path in sys.path]
    standard = [str(Path(os.__file__).parent), str(Path(sys.base_prefix) / "lib"), interpreter]
    channel, status = files
    model, program = (str(folder.resolve()), worker) if way == NONE else (MODEL, WORKER)
    return Plan(
        command=[interpreter, "-I", "-S", program, model, str(channel), *map(os.path.realpath, packages)],
        environment=ENVIRONMENT | {name: os.environ[name] for name in OF_NUMBERS if name in os.environ},
        folders=[*standard, *packages],
        placed={MODEL: str(folder.resolve()), WORKER: worker},
        channel=channel,
        status=status,
        instructions=filter_of_system_calls(isolated=way != NONE),
        memory=int(settings.memory * 2**30),
        enters=way == OWN,
        isolated=way != NONE,
    )
