"""Groups of protected attributes are levels or declared bands; single numbers are no groups."""

import numpy as np
import pandas as pd

from pipelines.applications.protected_groups import protected_groups


def test_numbers_are_cut_into_the_declared_bands() -> None:
    values = pd.DataFrame({"age": [18, 24.9, 25, 61, 62, 90, np.nan]})
    groups = protected_groups(values, {"age": [25, 62]})
    bands = ["under 25"] * 2 + ["25 to under 62"] * 2 + ["62 or more"] * 2 + ["missing"]
    assert groups.labels["age"].tolist() == bands
    assert groups.ungrouped == {}


def test_a_number_read_as_text_is_the_same_number() -> None:
    # given: the score log keeps protected attributes as text
    numbers, texts = pd.DataFrame({"age": [19, 40, 70]}), pd.DataFrame({"age": ["19", "40", "70"]})
    one, other = (protected_groups(values, {"age": [25, 62]}).labels["age"] for values in (numbers, texts))
    assert one.tolist() == other.tolist()


def test_a_word_among_numbers_is_a_group_of_its_own() -> None:
    values = pd.DataFrame({"age": ["19", "withheld", None]})
    assert protected_groups(values, {"age": [25]}).labels["age"].tolist() == ["under 25", "withheld", "missing"]


def test_single_years_of_age_without_bands_are_no_groups() -> None:
    groups = protected_groups(pd.DataFrame({"years": range(20, 60), "sex": ["F", "M"] * 20}), {"age": [25]})
    assert list(groups.labels) == ["sex"]
    assert groups.ungrouped == {
        "years": "years has 40 different numbers and no bands; set policy.fairness.bands.years=[...] to the edges "
        "between its groups"
    }


def test_codes_and_bands_in_words_are_groups_as_they_are() -> None:
    values = pd.DataFrame({"code": [0, 1, 2], "age": ["18-25", "26-40", None], "is_foreign": [True, False, True]})
    groups = protected_groups(values, {"age": [25, 62]})
    assert groups.labels["code"].tolist() == ["0", "1", "2"]
    assert groups.labels["age"].tolist() == ["18-25", "26-40", "missing"]
    assert len(set(groups.labels["is_foreign"])) == 2


def test_no_rows_have_no_groups() -> None:
    assert protected_groups(pd.DataFrame({"sex": pd.Series([], dtype=object)}), {}).labels["sex"].tolist() == []
