"""A study is found by its id, the beginning of one, or its name."""

import pytest

from experiments.compare.studies import find_study
from experiments.search.stored_studies import StudyName
from pipelines.errors import RequestError

NAMES = [
    StudyName("german auto 0123456789abcdef", 1),
    StudyName("german scorecard 0123ffffffffffff", 2),
    StudyName("german catboost 77aa000000000000", 3),
]


@pytest.mark.parametrize("text", ["01234", "0123456789abcdef", "german auto 0123456789abcdef"])
def test_a_study_is_found_by_id_prefix_and_title(text: str) -> None:
    assert find_study(NAMES, text, "german") is NAMES[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ffff", r"study 'ffff' is not a study of model 'german'; give one of: 01234567, 0123ffff, 77aa0000 "),
        ("", r"study '' is not a study of model 'german'"),
        ("0123", r"study '0123' matches 2 studies of model 'german'; give one of: 0123456789abcdef, 0123ffffffffffff "),
    ],
)
def test_an_unknown_or_ambiguous_name_is_one_message(text: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        find_study(NAMES, text, "german")
