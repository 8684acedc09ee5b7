"""A fault that is added as one file is found, and of a column the first fault of each subject is reported."""

import sys
from pathlib import Path

import pytest

import monitoring.faults
from monitoring.faults.search import finders
from tests.monitoring.faults.tables import draw, faults_of, kinds

TOY = '''"""Windows whose number of rows ends in 00."""

from collections.abc import Iterator, Sequence

from monitoring.faults.fault import Fault, window_finder
from monitoring.faults.limits import FaultLimits
from monitoring.faults.observed import Observed


def round_rows(window: Observed, earlier: Sequence[Observed], limits: FaultLimits) -> Iterator[Fault]:
    """Yield a fault where the rows are a round number."""
    if window.rows % 100 == 0:
        yield Fault("round number of rows", None, f"{window.rows:,} rows.", "A limit.", "Remove the limit.")


FINDER = window_finder("round number of rows", round_rows)
'''


def test_a_fault_added_as_one_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "round_rows.py").write_text(TOY)
    monkeypatch.setattr(monitoring.faults, "__path__", [*monitoring.faults.__path__, str(tmp_path)])
    assert finders()[-1].kind == "round number of rows"
    assert kinds(faults_of(draw(1_000, seed=1))) == [("round number of rows", None)]
    sys.modules.pop("monitoring.faults.round_rows")


def test_the_kinds_are_those_that_reports_and_alarms_have_always_named() -> None:
    assert {one.kind for one in finders()} == {
        "column gone", "missing values risen", "unit changed", "category renamed", "column constant", "duplicates",
        "more rows quarantined", "values outside the reference", "volume fallen", "stale data",
    }  # fmt: skip
