"""Flat tables as lenders have them: each is written by its test, and tuned and promoted by command."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import thinfile

TUNE = ("tune", "data=table", "data.label=bad", "data.id=id", "candidate=scorecard", "trials=1")


def run(capsys: pytest.CaptureFixture[str], *words: Any) -> tuple[int, str]:
    """Run a command and return its exit code and all that it printed."""
    code = thinfile.main([*map(str, words)])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


@pytest.mark.parametrize("seed", range(3))
def test_monthly_dates_are_tuned_with_default_folds(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # given: ten months, the first of which holds more than a sixth of the rows
    generator = np.random.default_rng(seed)
    counts = [300, 250, 250, 250, 200, 200, 150, 150, 120, 100]
    months = np.repeat([f"2025-{month:02d}-01" for month in range(1, 11)], counts)
    x = generator.normal(size=len(months))
    table = pd.DataFrame({"id": range(len(months)), "month": months, "x": x.round(3)})
    table["bad"] = (x + generator.normal(size=len(months)) > 1.2).astype(int)
    table.to_csv(tmp_path / "monthly.csv", index=False)
    code, printed = run(
        capsys, *TUNE, f"data.path={tmp_path / 'monthly.csv'}", "data.time=month", f"workspace={tmp_path / 'w'}"
    )
    assert code == 0, printed
    assert "out of time at 2025-07-01" in printed
