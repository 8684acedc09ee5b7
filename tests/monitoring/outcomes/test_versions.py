"""Outcomes belong to loans: vintages that another version decided are compared too."""

from pathlib import Path

import numpy as np
import pytest

from monitoring.outcomes.performance import PerformanceReport, measure_performance
from monitoring.outcomes.stored_estimates import StoredEstimates
from tests.monitoring.outcomes.books import BANDS, Book, book

MONTHS = tuple(f"{2024 + month // 12}-{month % 12 + 1:02d}" for month in range(18))


def decided(one: Book, changed: str, factor: float = 1.0) -> Book:
    """Return a book that version 2 decides from a month on, with PDs that are too low or too high by a factor."""
    is_new = one.decisions["period"] >= changed
    decisions = one.decisions.assign(model_version=np.where(is_new, 2, 1))
    decisions["pd"] = decisions["pd"].where(~is_new, decisions["pd"] * factor)
    return Book(decisions, one.early, one.full)


def measured(folder: Path, one: Book, **others: Path) -> PerformanceReport:
    return measure_performance(
        one.decisions,
        early=one.outcomes("early", MONTHS, "dpd30_in_92_days"),
        full=None,
        stored=StoredEstimates(folder, others),
        bands=BANDS,
        version=2,
    )


def test_vintages_are_watched_before_and_after_a_change_of_the_champion(tmp_path: Path) -> None:
    report = measured(tmp_path, decided(book(MONTHS), MONTHS[14]))
    assert report.decided_by == {"1": 28_000, "2": 8_000}
    compared = [one.early_contradiction for one in report.vintages[1:]]
    assert all(one is not None for one in compared)
    assert not any(one.found for one in compared if one is not None)


def test_a_shock_after_the_change_is_found_and_another_calibration_is_none(tmp_path: Path) -> None:
    shocked = measured(tmp_path / "shock", decided(book(MONTHS, rows=3_000, doubled=MONTHS[16:]), MONTHS[13]))
    newest = shocked.vintages[-1].early_contradiction
    assert newest is not None
    assert newest.level_moved
    other = measured(tmp_path / "other", decided(book(MONTHS, rows=3_000), MONTHS[13], factor=0.7))
    assert not any(one.early_contradiction.found for one in other.vintages[1:] if one.early_contradiction)


@pytest.mark.parametrize("version", [1, 2])
def test_estimates_are_stored_with_the_version_that_decided(tmp_path: Path, version: int) -> None:
    folders = dict.fromkeys(MONTHS[:14], tmp_path / "version-1")
    measured(tmp_path / "version-2", decided(book(MONTHS, rows=100), MONTHS[14]), **folders)
    stored = {path.name[:7] for path in (tmp_path / f"version-{version}").glob("*.parquet")}
    assert stored == set(MONTHS[:14] if version == 1 else MONTHS[14:])
