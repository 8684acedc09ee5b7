"""What a column is for, declared or inferred, and how the inference is told."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.applications.roles import Roles
from pipelines.applications.settings import DataSettings, Source
from pipelines.errors import ConfigurationError

ROWS = 200
TABLE = pd.DataFrame(
    {
        "id": [f"A{row}" for row in range(ROWS)],
        "bad": [0, 1] * (ROWS // 2),
        "amount": np.arange(ROWS, dtype=float),
        "children": pd.array([None, *range(ROWS - 1)], dtype="Int64"),
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
    return Roles.of(table, DataSettings(**(known | declared)), labelled=labelled)  # type: ignore[arg-type]


def test_each_kind_of_column_gets_its_role_and_is_told() -> None:
    found = roles()
    assert found.numeric == ("amount", "children")
    assert found.categorical == ("renewal", "channel", "dealer", "nothing")  # at most half as many levels as rows
    assert found.inferred == (
        "numeric: amount, children",
        "categorical: renewal, channel, dealer, nothing",
        "left out (times and identifiers): phone, applied",
    )


def test_what_is_declared_is_taken_and_not_told_as_inferred() -> None:
    found = roles(numeric=["children"], categorical=["phone"], ignored=["amount"], protected=["renewal"])
    assert found.numeric == ("children",)
    assert found.categorical == ("phone", "channel", "dealer", "nothing")
    assert found.inferred == ("categorical: channel, dealer, nothing", "left out (times and identifiers): applied")


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


@pytest.mark.parametrize(
    "declared",
    [{"protected": ["bad"]}, {"numeric": ["id"]}, {"categorical": ["x"], "ignored": ["x"]}, {"time": "bad"}],
)
def test_a_column_has_one_role(declared: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=r"column '\w+' has 2 roles; name it in only one of"):
        roles(**declared)
