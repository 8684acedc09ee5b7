"""A month that two versions decided: a report of each, which names the other, and one outcome for the month."""

from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.faults.fallen_volume import VOLUME_FALLEN
from monitoring.watch.settings import WatchSettings
from monitoring.watch.watch import report_of, watch
from monitoring.watch.watch_result import SEVERITY
from pipelines.errors import RequestError
from pipelines.ledger.champion import proven_champion
from pipelines.model_store.store import ModelStore
from pipelines.score_log.key import LogKey
from tests.pipelines.batch.conftest import Bench, applications, made, score_it, written
from tests.pipelines.candidates.test_conformance import trained
from tests.pipelines.model_store.champions import attach_profile, crown, make_champion


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A month of 1,000 applications: 300 decided by version 1, the rest by version 2 after its promotion."""
    folder = tmp_path_factory.mktemp("halves")
    bench = made(folder, "scorecard")
    table = applications(1000)
    score_it(bench, input=str(written(table[:300], folder / "first.parquet")))
    store = ModelStore(bench.workspace)
    second = make_champion(store, trained("scorecard"), folder / "second")
    attach_profile(store, second, bench.reference)
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
    (note,) = [one for one in report.notes if one.startswith("This report")]
    assert note == (
        f"This report is about {rows} of the 1,000 applications of 2026-10: version {other} decided {others}, in a "
        "report of its own."
    )


def test_a_month_is_reported_with_all_its_versions(halves: Bench) -> None:
    settings = WatchSettings(period="2026-10", workspace=str(halves.workspace.root), today="2027-01-01")
    outcome = watch(settings)
    results = {one["version"]: one for one in outcome.result["versions"]}
    assert {version: one["rows"] for version, one in results.items()} == {1: 300, 2: 700}
    assert outcome.result["rows_of_all_versions"] == 1000
    assert outcome.summary[0] == "2 versions decided the 1,000 applications of 2026-10; a report for each:"
    assert all(Path(one["report"]).exists() for one in results.values())
    ranks = [verdict.value for verdict in SEVERITY]
    assert outcome.result["verdict"] == max((one["verdict"] for one in results.values()), key=ranks.index)
    single = watch(replace(settings, version=1))
    assert (single.result["version"], single.result["rows"]) == (1, 300)
    assert "versions" not in single.result


def test_a_new_version_has_the_volume_of_the_months_before_it(halves: Bench, tmp_path: Path) -> None:
    table = applications(1000, seed=5).assign(application_id=[f"n{row}" for row in range(1000)])
    score_it(halves, input=str(written(table[:100], tmp_path / "few.parquet")), period="2026-11")
    settings = WatchSettings(period="2026-11", workspace=str(halves.workspace.root), today="2027-01-01")
    report, _ = report_of(halves.workspace, halves.reference, replace(halves.key("2026-11"), version=2), settings)
    (fault,) = [one for one in report.faults if one.kind == VOLUME_FALLEN]
    assert fault.seen == "The window has 100 rows; earlier periods predict about 1,000."


def test_a_version_without_decisions_is_pointed_to_those_that_have_some(halves: Bench, tmp_path: Path) -> None:
    store = ModelStore(halves.workspace)
    before = proven_champion(store, "credit_score")
    make_champion(store, trained("hist_gradient_boosting"), tmp_path / "third")
    crown(store, before)
    settings = WatchSettings(period="2026-10", workspace=str(halves.workspace.root), today="2027-01-01")
    key = LogKey("credit_score", 3, halves.key().population, "2026-10")
    with pytest.raises(RequestError, match=r"version 3 has no scores of 2026-10 .* use version=1 or version=2"):
        report_of(halves.workspace, halves.reference, key, settings)
