"""The same command in two fresh workspaces gives the same numbers and the same model."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.storage.workspace import Workspace
from tests.evidence.commands import answer, final_of
from tests.evidence.conftest import Evidence


@pytest.mark.integration
def test_two_fresh_workspaces_agree(evidence: Evidence, tmp_path: Path) -> None:
    trials = evidence.size(full=10, reduced=1)
    families = ("scorecard", "catboost", "hist_gradient_boosting")[: evidence.size(full=3, reduced=1)]
    agreed = []
    for family in families:
        first, second = (
            _numbers_of(tmp_path / family / name, f"candidate={family}", f"trials={trials}")
            for name in ("first", "second")
        )
        agreed.append(first == second)
    evidence.record(
        "06-same-numbers",
        claim="the same command in two fresh workspaces: identical metrics and model files but for ids and times, "
        "every family",
        value=f"{sum(agreed)} of {len(agreed)} families identical",
        bound="all",
        holds=all(agreed),
    )
    assert all(agreed)


@pytest.mark.parametrize("limit", [0.5])
def test_help_answers_at_once(evidence: Evidence, limit: float) -> None:
    import subprocess
    import sys
    import time

    def once() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "thinfile", "--help"], check=True, capture_output=True)
        return time.perf_counter() - start

    median = sorted(once() for _ in range(5))[2]
    evidence.record(
        "00-help", claim="thinfile --help answers", value=f"{median:.2f} s", bound="under 0.5 s", holds=median < limit
    )
    assert median < limit


def _numbers_of(root: Path, *overrides: str) -> dict[str, Any]:
    """Run tune in a new workspace; its answer without MLflow's ids and times, of which `model_hash` is one."""
    summary = answer("tune", *overrides, f"workspace={root}")
    model = final_of(Workspace.at(str(root)), summary)["model"]
    return {name: value for name, value in summary.items() if name not in ("run_id", "model_hash")} | {"model": model}
