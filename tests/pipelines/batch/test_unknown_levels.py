"""Values that the model did not learn: warned of from 5% of a column on, refused above data.max_unknown."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.batch.score import score
from pipelines.command.verb import Outcome
from pipelines.errors import ConfigurationError, DataError
from tests.pipelines.batch.conftest import Bench, applications, made, score_it, settings, written

ROWS = 400


@pytest.fixture(scope="module", params=["scorecard", "hist_gradient_boosting", "catboost"])
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return made(tmp_path_factory.mktemp("unknown"), request.param)


def table(share: float) -> pd.DataFrame:
    """Return applications of which a share has channels that the model never saw."""
    rows = applications(ROWS)
    is_changed = np.arange(ROWS) < share * ROWS
    channel = rows["channel"].fillna("web")
    return rows.assign(channel=np.where(is_changed, channel.str.upper(), channel), city=None)


def scored(bench: Bench, rows: pd.DataFrame, path: Path, period: str, **changed: Any) -> Outcome:
    if path.suffix == ".csv":
        rows.to_csv(path, index=False)
        return score(settings(bench, path=str(path), period=period, **changed))
    return score(settings(bench, input=str(written(rows, path)), period=period, **changed))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize(("share", "is_warned"), [(0.0, False), (0.04, False), (0.06, True), (0.5, True)])
def test_a_share_of_unknown_values_is_counted_and_warned_of(
    family: Bench, tmp_path: Path, ending: str, share: float, is_warned: bool
) -> None:
    period = f"2027-{int(100 * share) % 12 + 1:02d}" if ending == "csv" else f"2028-{int(100 * share) % 12 + 1:02d}"
    outcome = scored(family, table(share), tmp_path / f"table.{ending}", period)
    assert outcome.result["scored"] == ROWS
    assert outcome.result["unknown_levels"] == ({"channel": int(share * ROWS)} if share else {})
    warnings = [str(line) for line in outcome.summary if "warning" in str(line)]
    assert bool(warnings) == is_warned
    if is_warned:
        assert f"does not know {share:.0%} of the values of 'channel' (such as '" in warnings[0]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("share", [0.51, 1.0])
def test_more_than_the_share_is_refused_and_nothing_is_logged(
    family: Bench, tmp_path: Path, ending: str, share: float
) -> None:
    with pytest.raises(DataError, match="column 'channel' has values that the model does not know in") as raised:
        scored(family, table(share), tmp_path / f"table.{ending}", "2029-01")
    message = str(raised.value)
    assert "'APP'" in message
    assert "it knows 'app'" in message
    assert "data.max_unknown=0.5" in message
    assert family.log.decisions(family.key("2029-01")).empty


@pytest.mark.parametrize(("rows", "is_refused"), [(1, False), (4, False), (5, True), (8, True)])
def test_a_few_applicants_with_new_values_are_scored(
    family: Bench, tmp_path: Path, rows: int, is_refused: bool
) -> None:
    few = table(1.0)[:rows]
    if is_refused:
        with pytest.raises(DataError, match=f"in {rows} of {rows} rows"):
            scored(family, few, tmp_path / "table.csv", "2029-06")
    else:
        assert scored(family, few, tmp_path / "table.csv", f"2029-{rows + 6:02d}").result["scored"] == rows


def test_null_scores_any_share(family: Bench, tmp_path: Path) -> None:
    outcome = scored(family, table(1.0), tmp_path / "table.csv", "2029-02", max_unknown=None)
    assert (outcome.result["scored"], outcome.result["unknown_levels"]) == (ROWS, {"channel": ROWS})


def test_a_lower_share_is_refused_sooner(family: Bench, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.max_unknown=0\.1"):
        scored(family, table(0.2), tmp_path / "table.csv", "2029-03", max_unknown=0.1)


@pytest.mark.parametrize("spelled", [("True", "False"), ("yes", "no"), ("1.0", "0.0")])
def test_another_spelling_of_a_whole_column_is_refused(family: Bench, tmp_path: Path, spelled: tuple[str, str]) -> None:
    rows = applications(ROWS)
    rows["channel"] = np.where(rows["channel"] == "app", *spelled)
    with pytest.raises(DataError, match="column 'channel' has values that the model does not know in 400 of 400 rows"):
        scored(family, rows, tmp_path / "table.csv", "2029-04")


def test_missing_values_are_not_unknown(family: Bench, tmp_path: Path) -> None:
    rows = applications(ROWS).assign(channel=None, city=None)
    assert scored(family, rows, tmp_path / "table.parquet", "2029-05").result["unknown_levels"] == {}


@pytest.mark.parametrize("most", [-0.1, 1.5])
def test_a_share_that_is_none_is_refused(bench: Bench, tmp_path: Path, most: float) -> None:
    path = str(written(applications(10), tmp_path / "table.parquet"))
    with pytest.raises(ConfigurationError, match=r"data\.max_unknown is"):
        score_it(bench, input=path, max_unknown=most)
