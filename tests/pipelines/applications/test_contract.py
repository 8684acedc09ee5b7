"""The contract row by row: what is set aside, what stops the run, and how values are spelt."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.applications.contract import RULE, CheckedTable, apply_contract, as_text
from pipelines.applications.roles import Roles
from pipelines.errors import DataError

ROWS = 40
ROLES = Roles(
    id="id", time="when", label="bad", bad="1", protected=("sex",), numeric=("income",), categorical=("channel",)
)


def a_table(**columns: Any) -> pd.DataFrame:
    known = {
        "id": [f"A{row:02d}" for row in range(ROWS)],
        "when": pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d"),
        "income": np.arange(ROWS, dtype=float),
        "channel": ["app", "web"] * (ROWS // 2),
        "sex": ["f", "m"] * (ROWS // 2),
        "bad": [0, 1] * (ROWS // 2),
    }
    return pd.DataFrame(known | columns)


def checked(table: pd.DataFrame, limit: float = 1.0) -> CheckedTable:
    return apply_contract(table, ROLES, max_quarantined=limit)


def with_cell(column: str, row: int, value: Any) -> pd.DataFrame:
    table = a_table().astype({column: object})
    table.loc[row, column] = value
    return table


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("income", np.inf, "'income' is infinite"),
        ("income", "-inf", "'income' is infinite"),
        ("income", "much", "'income' is not a number"),
        ("income", "1,000", "'income' is not a number"),
        ("bad", None, "'bad' is missing"),
        ("id", None, "'id' is missing"),
        ("when", None, "'when' is missing"),
        ("when", "soon", "'when' is not a date"),
        ("when", "2024-02-31", "'when' is not a date"),
    ],
)
def test_a_row_is_set_aside_with_the_rule_it_broke_and_as_it_was(column: str, value: Any, rule: str) -> None:
    found = checked(with_cell(column, 7, value))
    assert found.counts == {rule: 1}
    assert found.quarantined.index.tolist() == [7]
    assert found.quarantined.loc[7, RULE] == rule
    kept = found.quarantined.loc[7, column]
    assert kept == value or (value is None and pd.isna(kept))
    assert found.clean.index.tolist() == [row for row in range(ROWS) if row != 7]


@pytest.mark.parametrize("value", [None, np.nan, "", 12, "12", 1e308, -0.0])
def test_missing_and_large_numbers_keep_the_contract(value: Any) -> None:
    found = checked(with_cell("income", 7, None if value == "" else value))
    assert found.counts == {}
    assert found.clean["income"].dtype == np.float64


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, ROWS - 1)), st.sets(st.integers(0, ROWS - 1)), st.sets(st.integers(0, ROWS - 1)))
def test_clean_and_quarantined_rows_reconcile(infinite: set[int], texts: set[int], undated: set[int]) -> None:
    table = a_table().astype({"income": object})
    table.loc[sorted(infinite), "income"] = np.inf
    table.loc[sorted(texts), "income"] = "much"
    table.loc[sorted(undated), "when"] = None
    found = checked(table)
    broken = infinite | texts | undated
    assert set(found.quarantined.index) == broken
    assert set(found.clean.index) == set(range(ROWS)) - broken
    assert sum(found.counts.values()) == len(broken)
    assert np.isfinite(found.clean["income"].astype(float)).all()


def test_at_the_limit_the_run_goes_on_and_above_it_stops() -> None:
    table = a_table()
    table.loc[:3, "income"] = np.inf
    assert sum(checked(table, limit=0.1).counts.values()) == 4
    table.loc[4, "income"] = np.inf
    with pytest.raises(
        DataError,
        match=r"5 of 40 rows break .* 10% .*; most often: 'income' is infinite \(5 rows, first .*inf.*\); correct",
    ):
        checked(table, limit=0.1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (a_table().drop(columns="income"), "data.numeric names 'income', which is not a column of the table; known: "),
        (a_table().rename(columns={"bad": "badd"}), "data.label names 'bad', which is not .*; did you mean badd"),
        (a_table().head(0), "has no rows; check data.path"),
        (
            a_table(id="A"),
            r"'id' has duplicates, such as 'A' \(40 rows share an id with another row\); remove the duplicates",
        ),
        (
            a_table(bad=[0, 1, 2, 1] * 10),
            r"'bad' has 3 values \('1' 20, '0' 10, '2' 10\) where a label has two; set data.bad",
        ),
        (
            a_table(bad=range(ROWS)),
            r"has 40 values \('0' 1, '1' 1, '2' 1, '3' 1, '4' 1, '5' 1 and 34 more\) .*; set data.bad",
        ),
        (a_table(bad=1), r"has 1 values \('1' 40\) .*; set data.bad"),
        (a_table(bad=None), r"has 0 values \(all are missing\) .*; set data.bad"),
        (
            a_table(bad=["y", "n"] * 20),
            "data.bad is '1', which is not a value of label column 'bad'; set it to 'n' or 'y'",
        ),
        (
            a_table(income="much"),
            r"40 of 40 rows break .*'income' is not a number \(40 rows, first 'much' in row 1\); correct",
        ),
        (
            a_table(when=20240131),
            r"column 'when' has numbers \(first 20240131\); set data.date_format=%Y%m%d if these are",
        ),
    ],
)
def test_a_table_that_breaks_its_schema_stops_the_run(changed: pd.DataFrame, message: str) -> None:
    with pytest.raises(DataError, match=message):
        checked(changed, limit=0.1)


@pytest.mark.parametrize(
    "ones",
    [
        pd.Series([1, 0]),
        pd.Series([1.0, None]),
        pd.Series([1, None], dtype="Int64"),
        pd.Series([1.0, None], dtype="Float64"),
        pd.Series(["1", None]),
        pd.Series([1, 0], dtype="int8"),
        pd.Series([1, 0], dtype="category"),
    ],
    ids=lambda values: str(values.dtype),
)
def test_one_is_spelt_alike_in_every_type(ones: pd.Series) -> None:
    assert as_text(ones).iloc[0] == "1"
    assert as_text(ones).iloc[1] in ("0", None)


@pytest.mark.parametrize("flags", [pd.Series([True, False]), pd.Series([True, None], dtype="boolean")])
def test_a_flag_is_spelt_as_python_spells_it(flags: pd.Series) -> None:
    assert as_text(flags).tolist() in (["True", "False"], ["True", None])


def test_different_whole_numbers_are_spelt_differently() -> None:
    numbers = [1234567890123456, 1234567890123457, 2**53]
    assert as_text(pd.Series(numbers, dtype=float)).tolist() == [str(number) for number in numbers]


@given(st.lists(st.integers(-(10**15) + 1, 10**15 - 1), min_size=1))
def test_whole_numbers_are_spelt_without_a_point(numbers: list[int]) -> None:
    assert as_text(pd.Series(numbers, dtype=float)).tolist() == [str(number) for number in numbers]


def test_a_column_may_have_an_apostrophe_in_its_name() -> None:
    roles = Roles("id", None, "bad", "1", (), ("customer's income",), ())
    table = a_table().rename(columns={"income": "customer's income"}).assign(**{"customer's income": "much"})
    with pytest.raises(DataError, match="customer's income"):
        apply_contract(table, roles, max_quarantined=0.1)


def test_times_of_summer_and_winter_are_dates() -> None:
    times = ["2024-01-31T12:00:00+01:00", "2024-07-31T12:00:00+02:00"] * (ROWS // 2)
    assert checked(a_table(when=times)).counts == {}


def test_iso_times_of_several_lengths_are_dates() -> None:
    assert checked(a_table(when=["2024-01-31 10:30:00", "2024-01-31"] * (ROWS // 2))).counts == {}


@pytest.mark.filterwarnings("ignore:Parsing dates in:UserWarning")
def test_a_date_that_is_not_iso_is_no_date() -> None:
    assert sum(checked(a_table(when=["13/02/2024"] * ROWS)).counts.values()) == ROWS


def test_a_label_is_taken_of_mature_rows_only() -> None:
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0], "bad": [0, 1, 0], "status": ["mature", "immature", "declined"]})
    roles = Roles(None, None, "bad", "1", (), ("x",), (), status="status")
    with pytest.raises(DataError, match=r"received 1 declined, 1 immature of 3; leave those without one out"):
        apply_contract(table, roles, max_quarantined=0.1)
    with pytest.raises(DataError, match=r"has the unknown status 'matured'; did you mean"):
        apply_contract(table.assign(status="matured"), roles, max_quarantined=0.1)
