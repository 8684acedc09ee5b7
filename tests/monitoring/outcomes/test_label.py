"""What the values of a table of outcomes mean by the label of the model, against an independent table of meanings."""

import numpy as np
import pandas as pd
import pytest

from monitoring.outcomes.label import Label
from monitoring.outcomes.outcomes import OutcomeColumns, outcomes_of_table
from pipelines.credit.loan import BAD, GOOD, UNLABELLED
from pipelines.errors import DataError
from pipelines.reading.reading import Reading

USUAL = Label()
WORDS = Label("status", "Y", "N")
NUMBERS = Label("status", "2", "1")
REVERSED = Label("repaid", "0", "1")
UNRECORDED = Label("status", "Y", None)


def codes(values: list[object], label: Label, column: str = "status", **columns: object) -> list[int]:
    table = pd.DataFrame({"application_id": np.arange(len(values)), column: values})
    chosen = OutcomeColumns(bad=column, label=label, **columns)  # type: ignore[arg-type]
    return outcomes_of_table(table, "any", chosen).bad.tolist()


@pytest.mark.parametrize(
    ("label", "values"),
    [
        (WORDS, ["Y", "N", None]),
        (WORDS, [1, 0, None]),
        (WORDS, ["1", "0", ""]),
        (WORDS, [True, False, None]),
        (NUMBERS, [2, 1, None]),
        (NUMBERS, ["2", "1", ""]),
        (NUMBERS, [2.0, 1.0, np.nan]),
        (USUAL, [True, False, None]),
        (USUAL, ["true", "FALSE", ""]),
        (REVERSED, ["0", "1", ""]),
        (UNRECORDED, ["Y", "paid", None]),
        (UNRECORDED, [1, 0, None]),
    ],
)
def test_outcomes_in_the_spelling_of_the_label_or_as_1_and_0(label: Label, values: list[object]) -> None:
    column = "repaid" if label is REVERSED else "status"
    assert codes(values, label, column) == [BAD, GOOD, UNLABELLED]


@pytest.mark.parametrize(
    ("label", "values", "message"),
    [
        (NUMBERS, [0, 1], r"has the value 0, and the label of the model has 2 \(bad\) and 1 \(good\)"),
        (WORDS, ["Y", "N", "?"], r"has the value \?, and .* Y \(bad\) and N \(good\); use these or, throughout, 1"),
        (WORDS, ["Y", "0"], "has the value 0"),
        (UNRECORDED, ["paid", "paid"], "has the value paid.*outcomes.bad_value"),
        (REVERSED, [0, 1], r"'status' has only 0, 1, and the label 'repaid' of the model has 0 \(bad\) and 1 \(good\)"),
    ],
)
def test_values_without_one_meaning_are_refused(label: Label, values: list[object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        codes(values, label)


def test_the_declared_bad_value_decides() -> None:
    assert codes([0, 1], REVERSED, bad_value="1") == [GOOD, BAD]
    assert codes(["late", "paid", "paid"], WORDS, bad_value="late") == [BAD, GOOD, GOOD]
    assert codes([True, False], WORDS, bad_value="True") == [BAD, GOOD]
    with pytest.raises(DataError, match="has paid, settled besides late"):
        codes(["late", "paid", "settled"], WORDS, bad_value="late")


def test_words_that_mean_missing_are_unknown_outcomes() -> None:
    assert codes(["Y", "?", "N"], WORDS, reading=Reading(nulls=("?",))) == [BAD, UNLABELLED, GOOD]


def test_equal_rows_count_once_and_ids_are_needed() -> None:
    table = pd.DataFrame({"application_id": ["a", "a", "b"], "bad": [1, 1, 0]})
    assert outcomes_of_table(table, "any").ids.to_pylist() == ["a", "b"]
    with pytest.raises(DataError, match="'a' has more than one outcome"):
        outcomes_of_table(table.assign(bad=[1, 0, 0]), "any")
    with pytest.raises(DataError, match="2 of 3 rows of the table of outcomes have no id in 'application_id'"):
        outcomes_of_table(table.assign(application_id=["a", None, ""]), "any")
