"""The same command in two fresh workspaces gives the same numbers and the same model."""

from pathlib import Path

import pytest

from tests.evidence.commands import answer
from tests.evidence.conftest import Evidence


@pytest.mark.integration
def test_two_fresh_workspaces_agree(evidence: Evidence, tmp_path: Path) -> None:
    trials = evidence.size(full=10, reduced=1)
    families = ("scorecard", "catboost", "hist_gradient_boosting")[: evidence.size(full=3, reduced=1)]
    agreed = []
    for family in families:
        first, second = (
            answer("tune", f"candidate={family}", f"trials={trials}", f"workspace={tmp_path / family / name}")
            for name in ("first", "second")
        )
        for told in (first, second):
            del told["run_id"]
        agreed.append(first == second)
    evidence.record(
        "06-same-numbers",
        claim="the same command in two fresh workspaces: identical metrics and model fingerprint, every family",
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
