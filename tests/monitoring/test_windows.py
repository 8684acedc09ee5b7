"""A window read from the counts beside the log is the window read from its rows."""

import pytest

from monitoring.drift import compare_counts
from monitoring.settings import AlarmSettings
from monitoring.windows import open_window
from pipelines.errors import RequestError
from tests.pipelines.batch.conftest import Bench, applications, made, score_it, written


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("windows")
    bench = made(folder, "scorecard")
    whole, large = (written(applications(700, seed), folder / f"{seed}.parquet") for seed in (3, 4))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("pipelines.batch.parts.LEAST_ROWS", 100)
        score_it(bench, input=str(whole))
        score_it(bench, input=str(large), period="2026-11", features_kept=100)
    return bench


def test_counts_say_what_rows_say(scored: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    log, key = scored.log, scored.key()
    from_counts = open_window(log, key, scored.reference)
    assert len(log.partitions(key)) == 7
    with monkeypatch.context() as patched:
        patched.setattr(type(log), "part", None)  # no rows are needed
        open_window(log, key, scored.reference)
    for place, file in enumerate(sorted((scored.workspace.score_log / "profiles").rglob("period=2026-10/*.json"))):
        if place % 2:
            file.unlink()  # some partitions have none: those are read
    mixed = open_window(log, key, scored.reference)
    findings = [compare_counts(scored.reference, one.counts, AlarmSettings()) for one in (from_counts, mixed)]
    assert findings[0] == findings[1]
    assert len(from_counts) == len(mixed) == 700 == len(from_counts.features)


def test_counts_in_other_bins_are_not_taken_for_these(scored: Bench) -> None:
    other = made(scored.workspace.root.parent / "other", "scorecard").reference
    changed = type(other)(other.rows, other.population, other.bins[:-1], other.counts)
    key = scored.key("2026-11")
    assert len(open_window(scored.log, key, scored.reference).features) < 200
    with pytest.raises(RequestError, match="was counted in others and of its features a sample is kept"):
        open_window(scored.log, key, changed)
