"""How long compare takes with many versions and studies, apart from imports."""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest

from experiments.compare.leaderboard import compare
from experiments.compare.settings import CompareSettings
from pipelines.storage.workspace import Workspace
from tests.evidence.conftest import Evidence
from tests.evidence.many_studies import MODEL, write_many

BOUND = 1.0

HEAVY = {"catboost", "evidently", "lightgbm", "optuna", "shap", "sklearn", "xgboost"}


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A workspace with one version and one study."""
    root = tmp_path_factory.mktemp("few")
    write_many(Workspace(root), versions=1, studies=1, trials=1)
    return str(root)


def test_compare_is_fast_with_many_versions_and_studies(evidence: Evidence, tmp_path: Path, few: str) -> None:
    versions, studies, trials = (evidence.size(full=size, reduced=size // 10) for size in (200, 50, 40))
    write_many(Workspace(tmp_path / "many"), versions=versions, studies=studies, trials=trials)
    compare(CompareSettings(workspace=few, model=MODEL))  # imports what compare needs
    clock = time.perf_counter if evidence.full else time.process_time  # other tests may run beside a reduced one
    seconds = []
    for number in range(evidence.size(full=7, reduced=1)):
        workspace = tmp_path / f"{number}"  # MLflow keeps what it knows of a database in the process
        shutil.copytree(tmp_path / "many", workspace)
        began = clock()
        result = compare(CompareSettings(workspace=str(workspace), model=MODEL)).result
        seconds.append(clock() - began)
        assert (len(result["versions"]), len(result["studies"])) == (versions, studies)  # type: ignore[arg-type]
    evidence.record(
        "76-compare-speed",
        claim="compare with 200 versions and 50 studies of 40 trials each, apart from imports",
        value=f"{median(seconds):.2f} s",
        bound=f"under {BOUND:.0f} s",
        holds=median(seconds) < BOUND,
    )
    assert median(seconds) < BOUND


@pytest.mark.integration
def test_compare_imports_no_model_library_and_neither_optuna_nor_evidently(few: str) -> None:
    script = f"""
import sys
from experiments.compare.leaderboard import compare
from experiments.compare.settings import CompareSettings
compare(CompareSettings(workspace={few!r}, model={MODEL!r}))
print(sorted({HEAVY!r} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
