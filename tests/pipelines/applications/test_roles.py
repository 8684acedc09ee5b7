"""What a column is for, declared or inferred, and how the inference is told."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.applications.roles import Roles, check_special
from pipelines.applications.settings import DataSettings, Source
from pipelines.errors import ConfigurationError, DataError
from pipelines.reading.frames import frame_of
from pipelines.reading.reading import Reading

ROWS = 200
TABLE = pd.DataFrame(
    {
        "id": [f"A{row}" for row in range(ROWS)],
        "bad": [0, 1] * (ROWS // 2),
        "amount": 1.5 * np.arange(ROWS),
        "children": pd.array([None, *(row % 5 for row in range(ROWS - 1))], dtype="Int64"),
        "renewal": [True, False] * (ROWS // 2),
        "channel": ["app", None] * (ROWS // 2),
        "dealer": [f"dealer {row % 100}" for row in range(ROWS)],
        "phone": [f"0{row % 120}" for row in range(ROWS)],
        "applied": pd.date_range("2024-01-01", periods=ROWS),
        "nothing": None,
    }
)


def roles(table: pd.DataFrame = TABLE, *, labelled: bool = True, **declared: object) -> Roles:
    known: dict[str, object] = {"source": Source.table, "id": "id", "label": "bad"}
    frame = frame_of(pa.Table.from_pandas(table, preserve_index=False), Reading(), {})
    data = DataSettings(**(known | declared))  # type: ignore[arg-type]
    return Roles.of(frame.rows, data, frame.types, labelled=labelled)


def test_each_kind_of_column_gets_its_role_and_is_told() -> None:
    found = roles()
    assert found.numeric == ("amount", "children", "renewal")  # a flag is the number 1 or 0
    assert found.categorical == ("channel", "dealer")  # at most half as many levels as rows
    assert found.inferred == (
        "numeric: amount, children, renewal",
        "categorical: channel, dealer",
        "left out: applied (a time), nothing (no row has a value), phone (120 different texts in 200 rows, as an "
        "identifier has)",
        "phone: text, because values have leading zeros",
    )


def test_what_is_declared_is_taken_and_not_told_as_inferred() -> None:
    found = roles(numeric=["children"], categorical=["phone"], ignored=["amount"], protected=["renewal"])
    assert found.numeric == ("children",)
    assert found.categorical == ("phone", "channel", "dealer")
    assert found.inferred == (
        "categorical: channel, dealer",
        "left out: applied (a time), nothing (no row has a value)",
    )


def test_nothing_is_inferred_where_that_is_off() -> None:
    found = roles(infer=False, numeric=["amount"])
    assert (found.numeric, found.categorical, found.inferred) == (("amount",), (), ())


def test_where_outcomes_are_not_asked_for_the_label_is_no_feature_either() -> None:
    found = roles(labelled=False)
    assert found.label is None
    assert "bad" not in (*found.numeric, *found.categorical)


@given(st.permutations(["id", "bad", "amount", "children", "channel", "dealer"]))
def test_no_column_is_lost_and_none_has_two_roles(order: list[str]) -> None:
    found = roles(TABLE[order])
    columns = [column for role in found.declared.values() for column in role]
    assert sorted(columns) == sorted(order)


def test_row_numbers_constants_and_copies_are_left_out_with_their_reason() -> None:
    table = TABLE[["id", "bad", "amount", "channel"]].assign(
        **{"Unnamed: 0": np.arange(ROWS)[::-1], "again": TABLE["amount"], "fee": 12.5, "country": "NA"}
    )
    found = roles(table)
    assert (found.numeric, found.categorical) == (("again",), ("channel",))
    assert found.inferred[-1] == (
        "left out: Unnamed: 0 (running row numbers), amount (equal to again), country ('NA' in every row), "
        "fee (12.5 in every row)"
    )
    assert roles(table, numeric=["amount"]).numeric == ("amount",)  # a declared feature stays, its copy goes


@pytest.mark.parametrize(
    "declared",
    [{"protected": ["bad"]}, {"numeric": ["id"]}, {"categorical": ["x"], "ignored": ["x"]}, {"time": "bad"}],
)
def test_a_column_has_one_role(declared: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=r"column '\w+' has 2 roles; name it in only one of"):
        roles(**declared)


@pytest.mark.parametrize("role", ["id", "label", "time", "group", "customer", "decision"])
def test_special_codes_of_a_column_without_amounts_are_refused(role: str) -> None:
    data = DataSettings(**({"source": Source.table, role: "x"} | {"special": {"x": [-9]}}))  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=rf"data.special names 'x', which is the column of data.{role};"):
        check_special(data)


def test_numbers_with_marks_need_a_declaration_or_a_role() -> None:
    table = TABLE.assign(
        amount=[f"{1000 + row:,}.50" for row in range(ROWS)], share=[f"{row % 7}%" for row in range(ROWS)]
    )
    with pytest.raises(DataError) as error:
        roles(table)
    assert str(error.value) == (
        "the numbers of 'amount' (such as '1,000.50'), 'share' (such as '0%') have marks that are not declared; set "
        "'data.thousands=\",\"' 'data.symbols=[\"%\"]', or keep them as text with 'data.categorical=[amount,share]'"
    )
    assert roles(table, categorical=["share"], ignored=["amount"]).categorical[0] == "share"
    assert "share" in roles(table, labelled=False).categorical  # a column that a model does not have stops no scoring
