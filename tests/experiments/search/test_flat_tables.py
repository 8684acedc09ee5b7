"""Flat tables as lenders have them: each is written by its test, and tuned and promoted by command."""

import re
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


@pytest.mark.parametrize("seed", range(2))
def test_copies_do_not_make_noise_a_champion(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # given: noise, each row four times under ids of its own
    generator = np.random.default_rng(seed)
    noise = pd.DataFrame(generator.normal(size=(80, 6)).round(3), columns=[f"x{i}" for i in range(6)])
    noise["bad"] = generator.binomial(1, 0.4, 80)
    table = pd.concat([noise] * 4, ignore_index=True).rename_axis("id").reset_index()
    table.to_csv(tmp_path / "repeated.csv", index=False)
    where = f"workspace={tmp_path / 'w'}"
    settings = ("data=table", "data.label=bad", "data.id=id", "candidate=catboost", "trials=1")
    code, printed = run(capsys, "tune", *settings, f"data.path={tmp_path / 'repeated.csv'}", where)
    assert code == 0, printed
    assert "320 of 320 applications are twins (320 exact copies)" in printed
    # noise: 24 distinct test applications, whose AUC is 0.5 give or take 0.12
    assert 0.1 < float(re.search(r"bad: AUC ([\d.]+)", printed)[1]) < 0.9  # type: ignore[index]
    code, printed = run(capsys, "promote", where)
    assert code == 3, printed
    assert "passed  no twins: none of" in printed
