"""The environments of the opponents, apart from Thinfile's own and from each other: FLAML needs an older XGBoost."""

import os
import subprocess
import sys
import venv
from pathlib import Path

FOLDER = Path(os.environ.get("THINFILE_OPPONENTS", Path.home() / ".cache" / "thinfile" / "opponents"))
"""Environments, rows of the splits and what was measured."""

REQUIREMENTS = {
    "flaml": ("flaml[automl]==2.8.0", "catboost==1.2.10", "pyarrow"),
    "autogluon": ("autogluon.tabular[lightgbm,catboost,xgboost]==1.6.3", "pyarrow"),
}

ANCHORS = Path(os.environ.get("THINFILE_ANCHORS", Path(__file__).resolve().parents[4] / "shared" / "anchors"))
"""The folder of the opponents' programs."""


def python_of(name: str) -> str:
    """Return the Python of an environment; it is made where it is missing."""
    if name not in REQUIREMENTS:
        return sys.executable
    folder = FOLDER / name
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIREMENTS[name]], check=True)
        (folder / "ready").touch()
    return str(python)
