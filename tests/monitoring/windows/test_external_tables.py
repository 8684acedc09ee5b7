"""Tables that were scored elsewhere: what a report needs of them, and the profiles that stand for them later."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.measures.moves import compare
from monitoring.thresholds.settings import ThresholdSettings
from monitoring.thresholds.thresholds import EVERYONE, Level
from monitoring.windows.external_tables import ExternalTables, open_external_tables, read_profile
from pipelines.credit.population import Population
from pipelines.errors import DataError, RequestError
from pipelines.profiles.dimensions import Dimension
from pipelines.profiles.engines import Engine, engine_of
from pipelines.profiles.roles import TableRoles
from pipelines.profiles.settings import ProfileEngine
from pipelines.profiles.typed_tables import TableReader
from pipelines.reading.settings import ReadingSettings
from tests.pipelines.profiles.ways import assert_same

ROLES = TableRoles(segments=(Dimension("region"),), ignored=("application_id",))
MONTHS = ("2026-01", "2026-02", "2026-03")


def scored(rows: int, seed: int, shift: float = 0.0) -> pa.Table:
    generator = np.random.default_rng(seed)
    return pa.table(
        {
            "application_id": [f"a{seed}-{row}" for row in range(rows)],
            "points": generator.normal(600, 40, rows).astype(int),
            "income": generator.lognormal(shift, size=rows),
            "channel": generator.choice(["web", "shop"], rows),
            "region": generator.choice(["north", "south"], rows),
            "opened": pa.nulls(rows),
        }
    )


@pytest.fixture(params=[ProfileEngine.threads, ProfileEngine.duckdb])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with engine_of(request.param, threads=2, memory="500MB", scratch=tmp_path) as running:
        yield running


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    for seed, month in enumerate(MONTHS):
        folder = tmp_path / "scored" / f"period={month}"
        folder.mkdir(parents=True)
        pq.write_table(scored(4000, seed), folder / "part.parquet")
    return tmp_path / "scored"


def window(tmp_path: Path, shift: float = 0.0) -> Path:
    pq.write_table(scored(3000, 9, shift), tmp_path / "window.parquet")
    return tmp_path / "window.parquet"


def opened(current: Path, reference: Path, engine: Engine, scratch: Path | None = None) -> ExternalTables:
    return open_external_tables(
        current,
        reference,
        ROLES,
        Population.applications,
        engine,
        TableReader(ReadingSettings(), scratch or current.parent),
        most_sampled=500,
    )


def test_a_report_needs_no_more_than_two_tables(tmp_path: Path, reference: Path, engine: Engine) -> None:
    found = opened(window(tmp_path, shift=1.0), reference, engine)
    assert tuple(found.reference.overall) == MONTHS
    assert found.reference.name == "12,000 applications of scored, 2026-01 to 2026-03"
    moves = compare(found.reference, found.window, None, ThresholdSettings(), "2026-04")
    levels = {(one.column, one.segment): one.judgement.level for one in moves}
    assert {cell for cell, level in levels.items() if level is Level.ACT} == {
        ("income", segment) for segment in (EVERYONE, "region=north", "region=south")
    }
    assert list(found.window_sample) == list(found.reference_sample) == ["income", "channel"]
    assert len(found.window_sample) == len(found.reference_sample) == 500
    assert found.notes == ("'opened' is not compared: it holds nothing.",)
    assert len(found.window.overall.scores) == 3000
    assert not any("own table" in note for note in found.notes)


def test_profiles_that_were_kept_stand_for_their_tables(tmp_path: Path, reference: Path, engine: Engine) -> None:
    first = opened(window(tmp_path), reference, engine)
    kept = tmp_path / "reference.json", tmp_path / "window.json"
    for path, profile in zip(kept, (first.reference_profile, first.window_profile), strict=True):
        path.write_text(profile.to_json())
        assert read_profile(path).to_json() == profile.to_json()
    for current in (kept[1], window(tmp_path)):
        again = opened(current, kept[0], engine)
        told = [compare(one.reference, one.window, None, ThresholdSettings(), "2026-04") for one in (first, again)]
        assert again.reference.name == first.reference.name
        assert [one.judgement for one in told[0]] == [one.judgement for one in told[1]]
    assert read_profile(kept[0]).reference.by_period.keys() == set(MONTHS)


def test_a_profile_in_other_bins_is_refused(tmp_path: Path, reference: Path, engine: Engine) -> None:
    path = window(tmp_path)
    (tmp_path / "window.json").write_text(opened(path, path, engine).window_profile.to_json())
    with pytest.raises(RequestError, match="was counted in other bins"):
        opened(tmp_path / "window.json", reference, engine)


def test_another_population_is_refused(tmp_path: Path, reference: Path, engine: Engine) -> None:
    path = tmp_path / "reference.json"
    path.write_text(opened(window(tmp_path), reference, engine).reference_profile.to_json())
    with pytest.raises(RequestError, match="set population=applications"):
        open_external_tables(
            window(tmp_path),
            path,
            ROLES,
            Population.book,
            engine,
            TableReader(ReadingSettings(), tmp_path),
            most_sampled=0,
        )


def test_a_file_that_is_no_profile_is_refused(tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_text("{}")
    with pytest.raises(DataError, match="is not a profile that"):
        read_profile(tmp_path / "profile.json")


def test_rare_levels_and_names_of_people_raise_no_alarm(tmp_path: Path, engine: Engine) -> None:
    generator = np.random.default_rng(5)
    for name in ("before", "now"):
        table = scored(5000, 1 + (name == "now")).append_column(
            "town", [[f"town {one}" for one in generator.zipf(1.5, 5000)]]
        )
        table = table.append_column("email", [[f"{name}{row}@example.org" for row in range(5000)]])
        pq.write_table(table, tmp_path / f"{name}.parquet")
    found = opened(tmp_path / "now.parquet", tmp_path / "before.parquet", engine)
    towns = next(one for one in found.reference.profile.bins if one.column == "town")
    before, now = (one.columns["town"][-1] for one in (found.reference.total, found.window.overall))
    assert len(towns.rare) > 300
    assert abs(int(before) - int(now)) < 5 * np.sqrt(before + now)
    moves = compare(found.reference, found.window, None, ThresholdSettings(), "2026-04")
    assert {one.judgement.level for one in moves} == {Level.QUIET}
    assert "example.org" not in found.reference_profile.to_json()
    assert any(
        note.startswith("'email' is not compared: it holds 5,000 values that occur once") for note in found.notes
    )


def test_the_folders_of_partitions_are_compared(tmp_path: Path, engine: Engine) -> None:
    for name, seed, shares in (("before", 1, (600, 400)), ("now", 2, (100, 900))):
        for channel, rows in zip(("app", "web"), shares, strict=True):
            folder = tmp_path / name / f"partner={channel}"
            folder.mkdir(parents=True)
            pq.write_table(scored(rows, seed), folder / "p.parquet")
    found = opened(tmp_path / "now", tmp_path / "before", engine)
    (bins,) = (one for one in found.reference.profile.bins if one.column == "partner")
    assert dict(zip(bins.labels, found.window.overall.columns["partner"].tolist(), strict=True)) == {
        label: {"app": 100, "web": 900}.get(label, 0) for label in bins.labels
    }


def test_a_table_in_text_is_compared_as_the_same_in_parquet(tmp_path: Path, reference: Path, engine: Engine) -> None:
    parquet = opened(window(tmp_path, shift=1.0), reference, engine)
    text = tmp_path / "text" / "now.csv.gz"
    text.parent.mkdir()
    pq.read_table(window(tmp_path, shift=1.0)).to_pandas().to_csv(text, index=False)
    found = opened(text, reference, engine, tmp_path / "scratch")
    assert_same(found.window, parquet.window)


def test_months_in_text_files_are_periods(tmp_path: Path, engine: Engine) -> None:
    for number, month in enumerate(("2026-08", "2026-09")):
        (tmp_path / "before").mkdir(exist_ok=True)
        scored(300, number).to_pandas().to_csv(tmp_path / "before" / f"{month}.csv", index=False)
    scored(300, 5).to_pandas().to_csv(tmp_path / "now.csv", index=False)
    found = opened(tmp_path / "now.csv", tmp_path / "before", engine, tmp_path / "scratch")
    assert [*found.reference_profile.periods] == ["2026-08", "2026-09"]
    assert found.window.overall.rows == 300


def values(rows: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "points": generator.normal(600, 40, rows).astype(int),
            "income": generator.lognormal(7, size=rows).round(2),
            "age": generator.integers(18, 80, rows),
            "branch": generator.choice(["01", "02", "10"], rows),
            "plan": generator.choice(["1", "2"], rows),
            "vip": generator.random(rows) < 0.2,
            "applied": generator.choice(["2026-01-03", "2026-01-20"], rows),
            "region": generator.choice([1, 2], rows),
        }
    )


OTHER_TYPES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "numbers as text": lambda rows: rows.assign(income=rows["income"].map("{:.2f}".format), age=rows["age"].map(str)),
    "flags as numbers": lambda rows: rows.assign(vip=rows["vip"].astype(float)),
    "flags as words": lambda rows: rows.assign(vip=rows["vip"].map({True: "True", False: "FALSE"})),
    "codes as numbers": lambda rows: rows.assign(plan=rows["plan"].astype(float), region=rows["region"].astype(float)),
    "codes as text": lambda rows: rows.assign(region=rows["region"].map(str)),
    "categories": lambda rows: rows.assign(branch=rows["branch"].astype("category")),
    "decimals": lambda rows: rows.assign(income=[Decimal(f"{one:.2f}") for one in rows["income"]]),
    "times": lambda rows: rows.assign(applied=pd.to_datetime(rows["applied"])),
}


@pytest.mark.parametrize("other", OTHER_TYPES)
def test_equal_values_in_other_types_are_counted_alike(tmp_path: Path, engine: Engine, other: str) -> None:
    roles = TableRoles(segments=(Dimension("region"),), categorical=("plan",))
    before, now = values(1000, 1), values(800, 2)
    paths = [tmp_path / f"{name}.parquet" for name in ("before", "now", "other", "other_before")]
    rows = (before.astype({"plan": int}), now, OTHER_TYPES[other](now), OTHER_TYPES[other](before))
    for path, table in zip(paths, rows, strict=True):
        table.to_parquet(path, index=False)
    now.to_csv(tmp_path / "now.csv", index=False)

    def counted(window: Path, reference: Path) -> ExternalTables:
        reader = TableReader(ReadingSettings(), tmp_path / "scratch", coded=roles.by_name)
        return open_external_tables(window, reference, roles, Population.applications, engine, reader, most_sampled=0)

    expected = counted(paths[1], paths[0])
    assert {"income", "age", "branch", "plan", "vip"} <= expected.window.overall.columns.keys()
    assert "applied" not in expected.window.overall.columns
    for window, reference in ((paths[2], paths[0]), (tmp_path / "now.csv", paths[0]), (paths[1], paths[3])):
        found = counted(window, reference)
        assert_same(found.window, expected.window)
        assert found.reference.profile.bins == expected.reference.profile.bins


def test_files_of_other_columns_are_refused_with_a_diff(tmp_path: Path, engine: Engine) -> None:
    folder = tmp_path / "now"
    folder.mkdir()
    values(100, 1).to_parquet(folder / "a.parquet")
    values(100, 2).rename(columns={"income": "Income"}).to_parquet(folder / "b.parquet")
    with pytest.raises(DataError, match=r"b.parquet' has other columns than '.*a.parquet' \(\+Income, -income\)"):
        opened(window(tmp_path), folder, engine)
