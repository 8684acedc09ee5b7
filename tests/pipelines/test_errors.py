"""Unknown names are met with the nearest right ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.command.verb import ExitCode
from pipelines.errors import ConfigurationError, DataError, RequestError, ThinfileError, nearest

names = st.lists(st.text("abcdef", min_size=3, max_size=8), min_size=1, unique=True)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ThinfileError, ExitCode.FAILED),
        (RequestError, ExitCode.WRONG_REQUEST),
        (ConfigurationError, ExitCode.WRONG_REQUEST),
        (DataError, ExitCode.WRONG_REQUEST),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error: type[ThinfileError], code: ExitCode) -> None:
    assert error("why").exit_code == code


@given(names)
def test_a_right_name_is_nearest_to_itself(known: list[str]) -> None:
    assert nearest(known[0], known).removeprefix("did you mean ").startswith(known[0])


@given(st.text("xyz", min_size=3), names)
def test_where_nothing_is_near_every_known_name_is_told(unknown: str, known: list[str]) -> None:
    assert nearest(unknown, known) == f"known: {', '.join(sorted(known))}"


def test_where_nothing_is_known_that_is_told() -> None:
    assert nearest("anything", []) == "known: none"
