"""An input that is refused leaves nothing in the score log, however many of its parts were done."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.batch import part as part_module
from pipelines.errors import ConfigurationError, DataError
from tests.pipelines.batch.conftest import Bench, applications, score_it, written

pytestmark = pytest.mark.usefixtures("small_parts")
ROWS = 600


def files(bench: Bench) -> dict[str, int]:
    """Return the files of the score log, but for its locks, with the times of their last change."""
    root = bench.workspace.score_log
    paths = (path for path in root.rglob("*") if path.is_file() and "locks" not in path.parts)
    return {str(path.relative_to(root)): path.stat().st_mtime_ns for path in paths}


def late(**changed: Any) -> pd.DataFrame:
    """Return applications of which the last two thirds have other values."""
    table, rows = applications(ROWS), np.arange(ROWS) >= ROWS // 3
    return table.assign(**{name: np.where(rows, value, table[name]) for name, value in changed.items()})


REFUSED: dict[str, tuple[Callable[[], pd.DataFrame], str]] = {
    "unknown": (lambda: late(channel="FAX"), "values that the model does not know in"),
    "infinite": (lambda: late(income=np.inf), "rows break the contract so far"),
    "months": (lambda: applications(ROWS).assign(asked="2020-01-31"), "no application was made in 2026-10"),
}


@pytest.mark.parametrize("why", REFUSED)
@pytest.mark.parametrize("threads", [1, pytest.param(2, marks=pytest.mark.integration)])
def test_a_refused_input_leaves_nothing(why: str, threads: int, bench: Bench, tmp_path: Path) -> None:
    earlier = applications(90).assign(application_id=[f"e{row}" for row in range(90)])
    score_it(bench, input=str(written(earlier, tmp_path / "earlier.parquet")))
    before, (make, message) = files(bench), REFUSED[why]
    path = written(make(), tmp_path / "table.parquet")
    extra: dict[str, Any] = {"time": "asked"} if why == "months" else {}
    with pytest.raises(DataError, match=message):
        score_it(bench, input=str(path), threads=threads, **extra)
    assert files(bench) == before
    assert bench.log.is_whole(bench.key())
    written(applications(ROWS), path)
    assert score_it(bench, input=str(path))["scored"] == ROWS


def test_parts_of_a_killed_command_go_too(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(written(late(channel="FAX"), tmp_path / "table.parquet"))
    left = iter((False, False, True))

    def dies(*_: Any) -> None:
        if next(left):
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(part_module, "_quarantine", dies)
        with pytest.raises(KeyboardInterrupt):
            score_it(bench, input=path)
    assert bench.log.partitions(bench.key())
    with pytest.raises(DataError, match="the model does not know"):
        score_it(bench, input=path)
    assert files(bench) == {}


def test_the_share_of_unknown_values_is_that_of_the_whole_input(bench: Bench, tmp_path: Path) -> None:
    table = applications(ROWS)
    table.loc[: ROWS // 3, "channel"] = "FAX"  # all of the first part
    told = score_it(bench, input=str(written(table, tmp_path / "table.parquet")))
    assert (told["scored"], told["unknown_levels"]["channel"]) == (ROWS, ROWS // 3 + 1)


def test_an_id_of_a_command_that_was_killed_is_scored_in_another_input(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(part_module.ScoreLog, "write_again", dies)
        with pytest.raises(KeyboardInterrupt):
            score_it(bench, input=str(written(applications(90), tmp_path / "killed.parquet")))
    told = score_it(bench, input=str(written(applications(95), tmp_path / "other.parquet")))
    assert (told["scored"], told["already_logged"]) == (95, 0)


@pytest.mark.parametrize(
    ("setting", "value"), [("max_quarantined", -0.1), ("max_quarantined", float("nan")), ("features_kept", -1)]
)
def test_a_setting_that_cannot_be_is_refused(setting: str, value: float, bench: Bench, tmp_path: Path) -> None:
    path = str(written(applications(10), tmp_path / "table.parquet"))
    with pytest.raises(ConfigurationError, match=f"{setting} is"):
        score_it(bench, input=path, **{setting: value})


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_without_rows_is_named(suffix: str, bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / f"table{suffix}"
    applications(5)[:0].to_csv(path, index=False) if suffix == ".csv" else written(applications(5)[:0], path)
    with pytest.raises(DataError, match=rf"'{path}' has no rows"):
        score_it(bench, input=str(path))


def test_a_damaged_page_is_named_with_its_file(bench: Bench, tmp_path: Path) -> None:
    path = written(applications(ROWS), tmp_path / "table.parquet")
    content = bytearray(path.read_bytes())
    content[20:400] = b"\xff" * 380
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"'{path}' cannot be read as parquet"):
        score_it(bench, input=str(path))
    assert files(bench) == {}
