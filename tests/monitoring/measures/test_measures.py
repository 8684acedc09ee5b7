"""Measures from bins bound those of the values; a measure that is added as one file is in the report."""

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp, wasserstein_distance

import monitoring.measures
from monitoring.measures.measure import Value, measure_column, measures
from monitoring.measures.score_comparison import compare_scores
from monitoring.report.report_files import write_report
from pipelines.credit.population import Population
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.profiles.reference_profile import SCORE
from pipelines.profiles.score_counts import ScoreCounts
from tests.monitoring.measures.comparing import moves_of
from tests.monitoring.report.made_reports import made_report, quiet

GENERATOR = np.random.default_rng(0)
BEFORE = GENERATOR.normal(size=4000)

TOY = '''"""The share of rows in the fullest bin of the window."""

from monitoring.measures.measure import ColumnCounts, Measure, PointCounts


def fullest(counts: ColumnCounts | PointCounts) -> float:
    """Return the share."""
    return float(counts.current.max() / counts.current.sum())


TOY = Measure("fullest_bin", "Fullest bin", fullest, fullest, "share of rows")
'''


def values(bins: FrozenBins, now: np.ndarray) -> dict[str, Value | None]:
    found = measure_column(bins, bins.count(BEFORE), bins.count(now))
    assert found is not None
    return dict(found)


@pytest.mark.parametrize("shift", [0.0, 0.2, 1.0])
def test_bounds_hold_the_distances_of_the_values(shift: float) -> None:
    now = np.clip(GENERATOR.normal(shift, 1.0, size=3000), BEFORE.min(), BEFORE.max())
    bins = FrozenBins.of_numbers("x", BEFORE)
    found = values(bins, now)
    for name, exact in (
        ("kolmogorov_smirnov", ks_2samp(BEFORE, now).statistic),
        ("wasserstein", wasserstein_distance(BEFORE, now)),
    ):
        bounds = found[name]
        assert isinstance(bounds, tuple)
        assert bounds[0] <= exact <= bounds[1]
    expected = jensenshannon(bins.count(BEFORE), bins.count(now), base=2)
    assert found["jensen_shannon"] == pytest.approx(expected, abs=1e-12)


def test_bins_give_no_wasserstein_beyond_the_range_and_missing_values_are_not_numbers() -> None:
    bins = FrozenBins.of_numbers("x", BEFORE)
    beyond = values(bins, np.append(BEFORE, 1e9))
    assert beyond["wasserstein"] is None
    assert beyond["kolmogorov_smirnov"] is not None
    gone = values(bins, np.full(10, np.nan))
    assert (gone["jensen_shannon"], gone["kolmogorov_smirnov"], gone["wasserstein"]) == (1.0, None, None)
    assert measure_column(bins, bins.count(BEFORE), bins.count(BEFORE[:0])) is None


def test_the_psi_of_the_report_is_the_one_that_is_judged() -> None:
    features = pd.DataFrame({"x": BEFORE, "channel": ["app", "web"] * 2000})
    profile = profile_of(np.full(4000, 500), np.full(4000, 0.1), features, ["x"], Population.applications)
    columns = {SCORE: np.full(900, 501.0), "x": GENERATOR.normal(0.5, 2, 900), "channel": np.array(["web"] * 900)}
    for move in moves_of(profile, columns):
        assert move.measures is not None
        assert move.measures["psi"] == pytest.approx(move.judgement.psi, abs=1e-12)


def test_a_measure_added_as_one_file_is_in_the_report_and_in_its_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    (tmp_path / "fullest_bin.py").write_text(TOY)
    monkeypatch.setattr(monitoring.measures, "__path__", [*monitoring.measures.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "monitoring.measures.fullest_bin", raising=False)
    assert [one.name for one in measures()] == [
        "fullest_bin", "jensen_shannon", "kolmogorov_smirnov", "psi", "wasserstein",
    ]  # fmt: skip
    # when
    profile = profile_of(
        np.full(4000, 500), np.full(4000, 0.1), pd.DataFrame({"x": BEFORE}), ["x"], Population.applications
    )
    moves = moves_of(profile, {SCORE: np.full(900, 500.0), "x": np.full(900, BEFORE[0])})
    counts = ScoreCounts.of(np.array([500, 500, 501, 502]), np.full(4, 0.1))
    report = replace(quiet(made_report()), moves=tuple(moves), score=compare_scores(counts, counts))
    files = write_report(
        report,
        reference_sample=pd.DataFrame(),
        current_sample=pd.DataFrame(),
        categorical=[],
        folder=tmp_path / "report",
        evidently_workspace=tmp_path / "evidently",
        project="points",
        timestamp=datetime(2026, 10, 1, tzinfo=UTC),
    )
    # then
    facts = json.loads(files.json.read_text())
    by_column = {one["column"]: one["distances"]["fullest_bin"] for one in facts["moves"]}
    assert by_column == {SCORE: 1.0, "x": 1.0}
    assert facts["score"]["fullest_bin"] == 0.5
    page = files.html.read_text()
    assert "Fullest bin 0.500" in page
    assert "<th>Fullest bin <small>share of rows</small></th>" in page
    assert '<td data-name="Fullest bin">1.000</td>' in page
    sys.modules.pop("monitoring.measures.fullest_bin")
