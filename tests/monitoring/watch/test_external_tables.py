"""What the report of a table that was scored elsewhere says first, from files alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from monitoring.alarms.summary import list_outcome
from monitoring.verdict.period_report import PeriodReport, Verdict
from monitoring.watch.external_tables import report_of_tables, watch_external_tables
from monitoring.watch.settings import TableSettings, WatchSettings
from pipelines.command.verb import ExitCode
from pipelines.storage.workspace import Workspace

SEEDS = (0, 1, 2)


def table(rows: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "income": generator.lognormal(7.5, 0.5, rows).round(2),
            "orders": generator.poisson(2, rows),
            "balance": generator.normal(0, 300, rows).round(2),
            "channel": generator.choice(["app", "web", "shop"], rows),
            "points": generator.normal(620, 45, rows).astype(int),
        }
    )


def settings(folder: Path, now: pd.DataFrame, before: pd.DataFrame, segments: tuple[str, ...] = ()) -> WatchSettings:
    now.to_parquet(folder / "now.parquet", index=False)
    before.to_parquet(folder / "before.parquet", index=False)
    return WatchSettings(
        period="2026-10",
        workspace=str(folder / "workspace"),
        input=str(folder / "now.parquet"),
        reference_input=str(folder / "before.parquet"),
        table=TableSettings(segments=list(segments)),
    )


def report(
    folder: Path, now: pd.DataFrame, before: pd.DataFrame | None = None, segments: tuple[str, ...] = ()
) -> PeriodReport:
    return report_of_tables(settings(folder, now, table(3000, 99) if before is None else before, segments))[0]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (0, "No rows were delivered."),
        (1, "1 row is too few to compare 5 of 5 columns."),
        (20, "20 rows are too few to compare 5 of 5 columns."),
    ],
)
def test_too_few_rows_are_inconclusive(tmp_path: Path, rows: int, sentence: str, seed: int) -> None:
    found = report(tmp_path, table(rows, seed))
    assert (found.verdict, found.sentence) == (Verdict.INCONCLUSIVE, sentence)


def test_too_few_rows_of_the_reference_are_inconclusive(tmp_path: Path) -> None:
    found = report(tmp_path, table(3000, 0), table(25, 1))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.sentence == "25 rows of the reference are too few to compare the score."


@pytest.mark.parametrize("seed", SEEDS)
def test_a_usual_month_is_stable(tmp_path: Path, seed: int) -> None:
    assert report(tmp_path, table(3000, seed), segments=("channel",)).verdict is Verdict.STABLE


def test_an_inconclusive_report_ends_with_exit_code_3_and_raises_no_alarm(tmp_path: Path) -> None:
    outcome = watch_external_tables(settings(tmp_path, table(0, 0), table(3000, 1)))
    assert outcome.exit_code is ExitCode.ANSWER_IS_NO
    assert outcome.summary[0].startswith("INCONCLUSIVE: 0 applications of 2026-10")
    assert outcome.result["verdict"] == "inconclusive"
    again = watch_external_tables(settings(tmp_path, table(0, 0), table(3000, 1)))
    assert outcome.result["alarm"] == again.result["alarm"]
    assert (outcome.result["alarm"]["state"], outcome.result["alarm"]["actions"]) == ("inconclusive", {})
    (line,) = list_outcome(Workspace.at(str(tmp_path / "workspace"))).summary[1:]
    assert line.endswith("INCONCLUSIVE: credit_score version 0, applications of 2026-10: 0 rows")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("new", ["web", "kiosk"])
def test_the_shares_of_segments_are_compared_too(tmp_path: Path, new: str, seed: int) -> None:
    now = table(3000, seed)
    now["channel"] = now["channel"].mask(np.random.default_rng(seed).random(3000) < 0.4, new)
    found = report(tmp_path, now, segments=("channel",))
    assert found.verdict in (Verdict.WATCH, Verdict.ACT)
    appeared = found.sentence.startswith("Segment channel=kiosk appeared: ")
    assert appeared == (new == "kiosk") == (found.causes == ("segment appeared",))
    assert "1 column moved beyond its limit: channel; the score stayed within its limit" in found.sentence
    (move,) = [one for one in found.moves if one.column == "channel"]
    assert dict(zip(move.labels, move.current, strict=True)) == now["channel"].value_counts().to_dict()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("points", [40, 60])
def test_a_score_that_moves_within_segments_is_named_with_them(tmp_path: Path, points: int, seed: int) -> None:
    now, before = table(6000, seed), table(6000, 50 + seed)
    for one, sign in ((before, 1), (now, -1)):
        one["points"] += sign * (points * (one["channel"] == "app") - points * (one["channel"] == "web"))
    found = report(tmp_path, now, before, segments=("channel",))
    assert found.verdict is Verdict.ACT
    assert found.sentence.startswith("The score moved in channel=app, channel=web, not over all decisions;")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("column", "code", "text", "side"),
    [
        ("income", -999.0, "-999", 0),
        ("income", 0.0, "0", 0),
        ("orders", -1, "-1", 0),
        ("balance", np.inf, "infinite", -1),
    ],
)
@pytest.mark.parametrize("part", [0.012, 0.1])
def test_values_outside_the_reference_are_a_fault_and_a_bin(
    tmp_path: Path, column: str, code: float, text: str, side: int, part: float, seed: int
) -> None:
    now = table(3000, seed)
    now[column] = now[column].mask(np.random.default_rng(seed).permutation(3000) < 3000 * part, code)
    found = report(tmp_path, now)
    assert found.verdict is Verdict.ACT
    assert found.sentence.startswith(f"Data fault, not a change of applicants: {column} (values outside the reference)")
    (fault,) = found.faults
    assert f"'{column}' is {text} in {part:.1%} of 3,000 rows" in fault.seen
    (move,) = [one for one in found.moves if one.column == column]
    assert move.labels[side].startswith("outside, below " if side == 0 else "outside, above ")
    assert (move.reference[side], move.current[side]) == (0, pytest.approx(3000 * part, abs=3))


def named(found: PeriodReport, heading: str) -> str:
    return next(one.text for one in found.smallest_changes if one.heading == heading)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("part", "verdict"), [(0.7, Verdict.STABLE), (1.4, Verdict.WATCH)])
def test_the_smallest_change_of_the_score_is_the_one_that_is_named(
    tmp_path: Path, part: float, verdict: Verdict, seed: int
) -> None:
    usual = report(tmp_path, table(20_000, seed), table(20_000, 50 + seed))
    points = float(named(usual, "score").split("all scores ")[1].split()[0])
    now = table(20_000, seed)
    now["points"] += round(part * points)
    assert report(tmp_path, now, table(20_000, 50 + seed)).verdict is verdict


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("part", "verdict"), [(0.6, Verdict.STABLE), (1.4, Verdict.ACT)])
@pytest.mark.parametrize(("heading", "code"), [("missing values", np.nan), ("values outside the reference", -999.0)])
def test_the_smallest_share_of_a_fault_is_the_one_that_is_named(
    tmp_path: Path, heading: str, code: float, part: float, verdict: Verdict, seed: int
) -> None:
    share = float(named(report(tmp_path, table(600, seed)), heading).split("%")[0]) / 100
    now = table(600, seed)
    now["income"] = now["income"].mask(np.random.default_rng(seed).permutation(600) < part * share * 600, code)
    assert report(tmp_path, now).verdict is verdict


def test_a_report_ends_with_what_it_cannot_see(tmp_path: Path) -> None:
    now = table(3000, 0).assign(remarks=None, fresh=1.5)
    found = report(tmp_path, now, table(3000, 1).assign(remarks=None), segments=("channel",))
    text = "\n".join(found.cannot_see)
    assert "Changes of several columns together" in text
    assert "Changes in columns that are not compared: fresh (the reference has no such column), remarks (" in text
    assert "Rows that were delivered twice: too few numeric columns" in text
    assert "Another unit in fewer than 5% of the rows" in text
    assert "in what features mean for default, or in its level: no outcomes were given" in text
    assert "no segments were compared" not in text
    three = [one.assign(debt=one["income"] * 0.3) for one in (table(3000, 0), table(3000, 1))]
    assert "Rows that were delivered twice, in fewer than 5% of the rows" in report(tmp_path, *three).cannot_see
    outcome = watch_external_tables(settings(tmp_path, now, table(3000, 1), ("channel",)))
    assert [line for line in outcome.summary if line.startswith("  cannot see: ")]
    assert list(outcome.result["smallest_changes"])[:3] == ["score", "columns", "segments"]  # type: ignore[call-overload]


def test_what_has_too_few_rows_is_named(tmp_path: Path) -> None:
    now = table(400, 0).assign(channel=lambda one: one["channel"].mask(one.index < 10, "kiosk"))
    before = table(3000, 1).assign(channel=lambda one: one["channel"].mask(one.index < 40, "kiosk"))
    found = report(tmp_path, now, before, segments=("channel",))
    assert "Changes in segments with too few rows: channel=kiosk" in found.cannot_see
    assert report(tmp_path, table(0, 0)).cannot_see == ("All changes, because nothing was compared",)
