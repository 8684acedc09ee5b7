"""Roles, contract, quarantine and fingerprint of a table of applications."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.applications.applications import load_applications
from pipelines.applications.contract import RULE
from pipelines.applications.settings import DataSettings, Source
from pipelines.errors import ConfigurationError, DataError
from pipelines.storage.fingerprint import fingerprint_table
from pipelines.storage.workspace import Workspace

ROWS = 100


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [f"A{row:03d}" for row in range(ROWS)],
            "when": pd.date_range("2024-01-01", periods=ROWS),
            "income": 1.5 * np.arange(ROWS),
            "children": np.arange(ROWS) % 4,
            "channel": ["app", "web"] * (ROWS // 2),
            "comment": [f"free text {row}" for row in range(ROWS)],
            "sex": ["f", "m"] * (ROWS // 2),
            "bad": np.arange(ROWS) % 2,
        }
    )


def settings_of(path: Path, **roles: object) -> DataSettings:
    defaults: dict[str, object] = {"id": "id", "time": "when", "label": "bad", "protected": ["sex"]}
    return DataSettings(source=Source.table, path=str(path), **(defaults | roles))  # type: ignore[arg-type]


def written(table: pd.DataFrame, folder: Path) -> Path:
    table.to_parquet(folder / "table.parquet")
    return folder / "table.parquet"


def test_roles_are_inferred_and_the_inference_is_told(
    table: pd.DataFrame, tmp_path: Path, workspace: Workspace
) -> None:
    found = load_applications(settings_of(written(table, tmp_path)), workspace)
    assert found.roles.numeric == ("children", "income")
    assert found.roles.categorical == ("channel",)
    assert found.roles.inferred[-1] == "left out: comment (100 different texts in 100 rows, as an identifier has)"
    assert list(found.features) == ["children", "income", "channel"]
    assert list(found.protected) == ["sex"]
    assert found.outcomes.tolist() == table["bad"].tolist()


@pytest.mark.parametrize(
    ("values", "bad"),
    [([0, 1], "1"), ([0.0, 1.0], "1"), ([False, True], "True"), (["no", "yes"], "yes"), ([2, 1], "1")],
)
def test_the_bad_value_is_spelt_as_a_person_would(
    values: list[object], bad: str, table: pd.DataFrame, tmp_path: Path, workspace: Workspace
) -> None:
    labelled = table.assign(bad=values * (ROWS // 2))
    found = load_applications(settings_of(written(labelled, tmp_path), bad=bad), workspace)
    assert found.outcomes.tolist() == [0, 1] * (ROWS // 2)


def test_rows_that_break_the_contract_go_to_quarantine_with_their_rule(
    table: pd.DataFrame, tmp_path: Path, workspace: Workspace
) -> None:
    broken = table.astype({"income": object, "bad": object})
    broken.loc[3, "income"] = float("inf")
    broken.loc[5, "income"] = "much"
    broken.loc[7, "bad"] = None
    broken = broken.astype({"income": str})
    broken.to_csv(tmp_path / "table.csv", index=False)
    found = load_applications(settings_of(tmp_path / "table.csv", numeric=["income"]), workspace)
    assert found.quarantined == {"'income' is infinite": 1, "'income' is not a number": 1, "'bad' is missing": 1}
    assert len(found) + sum(found.quarantined.values()) == ROWS
    (path,) = workspace.quarantine.iterdir()
    assert pd.read_parquet(path).set_index("id")[RULE].to_dict() == {
        "A003": "'income' is infinite",
        "A005": "'income' is not a number",
        "A007": "'bad' is missing",
    }


def test_too_many_broken_rows_stop_the_run_and_leave_nothing(
    table: pd.DataFrame, tmp_path: Path, workspace: Workspace
) -> None:
    path = written(table.assign(income=np.inf), tmp_path)
    with pytest.raises(
        DataError, match=r"100 of 100 rows break .* most often: 'income' is infinite .*; correct the column"
    ):
        load_applications(settings_of(path), workspace)
    assert not workspace.root.exists()


def test_a_protected_column_cannot_be_a_feature(table: pd.DataFrame, tmp_path: Path, workspace: Workspace) -> None:
    with pytest.raises(ConfigurationError, match="column 'sex' has 2 roles"):
        load_applications(settings_of(written(table, tmp_path), categorical=["sex"]), workspace)


def test_a_time_of_numbers_is_refused(table: pd.DataFrame, tmp_path: Path, workspace: Workspace) -> None:
    with pytest.raises(DataError, match="'children' has numbers"):
        load_applications(settings_of(written(table, tmp_path), time="children"), workspace)


def test_the_fingerprint_is_of_the_content_not_of_the_format(table: pd.DataFrame, tmp_path: Path) -> None:
    plain = table.drop(columns="when")
    plain.to_csv(tmp_path / "table.csv", index=False)
    plain.to_parquet(tmp_path / "table.parquet")
    of_csv, of_parquet = pd.read_csv(tmp_path / "table.csv"), pd.read_parquet(tmp_path / "table.parquet")
    assert fingerprint_table(of_csv) == fingerprint_table(of_parquet)
    assert fingerprint_table(of_csv) != fingerprint_table(of_csv.iloc[::-1])
    assert fingerprint_table(of_csv) != fingerprint_table(of_csv.rename(columns={"income": "salary"}))


def test_tables_without_an_id_never_share_one(table: pd.DataFrame, tmp_path: Path, workspace: Workspace) -> None:
    first = load_applications(settings_of(written(table, tmp_path), id=None), workspace)
    second = load_applications(settings_of(written(table.assign(income=1.0), tmp_path), id=None), workspace)
    assert not set(first.ids) & set(second.ids)


def test_what_the_quarantine_and_the_clean_rows_hold_is_the_whole_table(
    table: pd.DataFrame, tmp_path: Path, workspace: Workspace
) -> None:
    broken = table.astype({"income": object})
    broken.loc[[3, 50], "income"] = np.inf
    found = load_applications(settings_of(written(broken.astype({"income": float}), tmp_path)), workspace)
    (path,) = workspace.quarantine.iterdir()
    set_aside = pd.read_parquet(path)
    assert set(set_aside) == {*table, RULE}
    assert sorted([*set_aside["id"], *found.ids]) == table["id"].tolist()


def test_taken_rows_keep_everything_together(table: pd.DataFrame, tmp_path: Path, workspace: Workspace) -> None:
    found = load_applications(settings_of(written(table, tmp_path)), workspace).take(np.array([30, 7]))
    assert found.ids.tolist() == ["A030", "A007"]
    assert found.features["income"].tolist() == [45.0, 10.5]
    assert found.outcomes.tolist() == [0, 1]
    assert found.protected["sex"].tolist() == ["f", "m"]
    assert found.times is not None
    assert found.times[0] - found.times[1] == np.timedelta64(23, "D")


def test_times_of_a_zone_are_one_moment(table: pd.DataFrame, tmp_path: Path, workspace: Workspace) -> None:
    zoned = table.assign(when=pd.date_range("2024-01-01", periods=ROWS, tz="Europe/Berlin"))
    found = load_applications(settings_of(written(zoned, tmp_path)), workspace)
    assert found.times is not None
    assert found.times[0] == np.datetime64("2023-12-31T23:00")


def test_outcomes_are_asked_for_only_where_they_are_needed(
    table: pd.DataFrame, tmp_path: Path, workspace: Workspace
) -> None:
    path = written(table, tmp_path)
    with pytest.raises(DataError, match=r"data.label is not set, and training needs outcomes; add data.label=COLUMN"):
        load_applications(settings_of(path, label=None), workspace)
    found = load_applications(settings_of(path), workspace, labelled=False)
    with pytest.raises(DataError, match=r"this step needs outcomes; add data.label=COLUMN"):
        _ = found.outcomes


def test_levels_are_spelt_alike_whatever_type_a_file_gives_them(
    table: pd.DataFrame, tmp_path: Path, workspace: Workspace
) -> None:
    # given the same numbers, once whole and once beside a missing one
    whole = load_applications(settings_of(written(table, tmp_path), categorical=["children"]), workspace)
    missing = table.astype({"children": float})
    missing.loc[0, "children"] = np.nan
    found = load_applications(settings_of(written(missing, tmp_path), categorical=["children"]), workspace)
    assert found.features["children"].tolist() == [None, *whole.features["children"][1:]]


def test_of_rows_with_one_index_only_the_broken_one_is_set_aside(
    table: pd.DataFrame, tmp_path: Path, workspace: Workspace
) -> None:
    # given two files, concatenated as they were
    halves = pd.concat([table.head(50), table.tail(50).reset_index(drop=True)])
    halves["income"] = halves["income"].where(halves["id"] != "A003", np.inf)
    found = load_applications(settings_of(written(halves, tmp_path)), workspace)
    assert sum(found.quarantined.values()) == 1
    assert len(set(found.ids)) == 99


def test_long_ids_stay_apart_beside_a_missing_one(table: pd.DataFrame, tmp_path: Path, workspace: Workspace) -> None:
    ids = pd.Series([1234567890123456 + row for row in range(ROWS)], dtype="Int64")
    ids[0] = None
    path = tmp_path / "table.csv"
    table.assign(id=ids).to_csv(path, index=False)
    found = load_applications(settings_of(path), workspace)
    assert found.ids.tolist() == [str(1234567890123456 + row) for row in range(1, ROWS)]


def test_an_id_is_the_same_whatever_ids_stand_beside_it(
    table: pd.DataFrame, tmp_path: Path, workspace: Workspace
) -> None:
    found = []
    for name, ids in (("one", [f"{row:04d}" for row in range(ROWS)]), ("two", ["0000", *map(str, table["id"][1:])])):
        table.assign(id=ids).to_csv(tmp_path / f"{name}.csv", index=False)
        found.append(load_applications(settings_of(tmp_path / f"{name}.csv"), workspace).ids[0])
    assert found == ["0000", "0000"]


def test_odd_rows_of_a_column_of_numbers_are_quarantined_by_name_and_it_is_said(
    table: pd.DataFrame, tmp_path: Path, workspace: Workspace
) -> None:
    odd = table.astype({"income": str})
    odd.loc[7, "income"] = "unknown"
    odd.to_csv(tmp_path / "table.csv", index=False)
    found = load_applications(settings_of(tmp_path / "table.csv"), workspace)
    assert found.quarantined == {"'income' is not a number": 1}
    assert found.roles.inferred[-1] == "income: number, because 99 of 100 values are numbers; 1 is not: 'unknown'"
    assert found.features["income"].tolist() == table["income"].drop(7).tolist()


def test_a_label_that_is_not_0_and_1_needs_its_bad_value(
    table: pd.DataFrame, tmp_path: Path, workspace: Workspace
) -> None:
    for values, label in (([2, 1], "'1' and '2'"), (["NA", "paid"], "'NA' and 'paid'")):
        path = written(table.assign(bad=values * (ROWS // 2)), tmp_path)
        with pytest.raises(DataError, match=rf"label column 'bad' has the values {label}, and data.bad is not set"):
            load_applications(settings_of(path), workspace)
    path = written(table.assign(bad=[False, True] * (ROWS // 2)), tmp_path)
    assert load_applications(settings_of(path), workspace).outcomes.tolist() == [0, 1] * (ROWS // 2)


def test_times_in_another_format_are_refused_until_it_is_declared(
    table: pd.DataFrame, tmp_path: Path, workspace: Workspace
) -> None:
    day_first = table.assign(when=table["when"].dt.strftime("%d/%m/%Y"))
    day_first.to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(DataError, match=r"'when' is not a date .*set data.date_format, such as data.date_format=%d/%m"):
        load_applications(settings_of(tmp_path / "table.csv"), workspace)
    found = load_applications(settings_of(tmp_path / "table.csv", date_format="%d/%m/%Y"), workspace)
    assert found.times is not None
    assert found.times.tolist() == table["when"].dt.to_pydatetime().tolist()


def test_a_time_that_means_never_is_refused_until_it_is_declared(
    table: pd.DataFrame, tmp_path: Path, workspace: Workspace
) -> None:
    path = written(
        table.astype({"when": str}).assign(when=lambda rows: rows["when"].where(rows.index != 3, "9999-12-31")),
        tmp_path,
    )
    with pytest.raises(
        DataError, match=r"time column 'when' has 9999-12-31 \(1 of 100 rows\), .*data.never=\[9999-12-31\]"
    ):
        load_applications(settings_of(path), workspace)
    found = load_applications(settings_of(path, never=["9999-12-31"]), workspace)
    assert found.quarantined == {"'when' is missing": 1}
