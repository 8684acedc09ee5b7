"""A month that two versions decided: the report of each names the other."""

from pathlib import Path

import pytest

from monitoring.watch.settings import WatchSettings
from monitoring.watch.watch import report_of
from pipelines.errors import RequestError
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHAMPION
from pipelines.score_log.key import LogKey
from tests.pipelines.batch.conftest import Bench, applications, made, score_it, written
from tests.pipelines.candidates.test_conformance import trained
from tests.pipelines.model_store.champions import make_champion


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A month of 1,000 applications: 300 decided by version 1, the rest by version 2 after its promotion."""
    folder = tmp_path_factory.mktemp("halves")
    bench = made(folder, "scorecard")
    table = applications(1000)
    score_it(bench, input=str(written(table[:300], folder / "first.parquet")))
    make_champion(ModelStore(bench.workspace), trained("scorecard"), folder / "second")
    score_it(bench, input=str(written(table, folder / "whole.parquet")))
    return bench


@pytest.mark.parametrize(("version", "rows", "other", "others"), [(1, 300, 2, 700), (2, 700, 1, 300)])
def test_a_report_names_what_the_other_version_decided(
    halves: Bench, version: int, rows: int, other: int, others: int
) -> None:
    settings = WatchSettings(period="2026-10", workspace=str(halves.workspace.root), today="2027-01-01")
    key = LogKey("credit_score", version, halves.key().population, "2026-10")
    report, _ = report_of(halves.workspace, halves.reference, key, settings)
    assert report.rows == rows
    (note,) = [one for one in report.notes if one.startswith("Version")]
    assert note == (
        f"Version {other} decided {others} other applications of 2026-10; they are in the report of `thinfile watch "
        f"period=2026-10 version={other}`."
    )


def test_a_version_without_decisions_is_pointed_to_those_that_have_some(halves: Bench, tmp_path: Path) -> None:
    store = ModelStore(halves.workspace)
    before = store.require_champion("credit_score")
    make_champion(store, trained("hist_gradient_boosting"), tmp_path / "third")
    store.set_alias(before, CHAMPION)
    settings = WatchSettings(period="2026-10", workspace=str(halves.workspace.root), today="2027-01-01")
    key = LogKey("credit_score", 3, halves.key().population, "2026-10")
    with pytest.raises(RequestError, match=r"version 3 has no scores of 2026-10 .* use version=1 or version=2"):
        report_of(halves.workspace, halves.reference, key, settings)
