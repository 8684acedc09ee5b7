"""A column may have any name: it is written in quotes in an override, and a message shows how."""

from pathlib import Path

import pandas as pd
import pytest

import thinfile

pytestmark = pytest.mark.integration

NAMES = [
    "net=2",
    "net income",
    "a.b",
    "2x",
    "12",
    "größe",
    "Größe (€)",
    "x#1",
    "a:b, c",
    "it's",
    "null",
    "quoted_key_61",
]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "loans.csv"
    pd.DataFrame({"x": range(40), "bad": [0, 1] * 20}).to_csv(path, index=False)
    return path


def refusal(table: Path, capsys: pytest.CaptureFixture[str], *overrides: str) -> str:
    """Return the message of a command that ends before any work."""
    workspace = f"workspace={table.parent / 'workspace'}"
    assert thinfile.main(["tune", "data=table", f"data.path={table}", "data.label=bad", workspace, *overrides]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("written", ["data.numeric=[{}]", "data.special={{x: -1, {}: -9}}"])
def test_a_name_in_quotes_is_read_as_it_is(
    written: str, name: str, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    override = written.format(f'"{name}"')
    message = refusal(table, capsys, override)
    assert f"names '{name}', which is not a column of the table" in message


def test_the_bands_of_a_segment_may_be_whole_numbers(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refusal(table, capsys, "data.segments=[x]", "data.segment_bands={x: [2, 1]}")
    assert "data.segment_bands.x is [2, 1]; list the edges between bands in ascending order" in message


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("data.numeric=[a=b, c]", """write 'data.numeric=["a=b", c]'"""),
        ("data.numeric=[größe]", """write 'data.numeric=["größe"]'"""),
        ("data.special={a=b: [1]}", """write 'data.special={"a=b": [1]}'"""),
        ("data.special={größe: [1, 2]}", """write 'data.special={"größe": [1, 2]}'"""),
        ("data.special={12: [1]}", 'write it in quotes, such as {"12": ...}'),
        ("data.label=größe", """write 'data.label="größe"'"""),
        ("data.nulls=[#]", """write 'data.nulls=["#"]'"""),
    ],
)
def test_a_name_without_its_quotes_is_shown_with_them(
    override: str, expected: str, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert expected in refusal(table, capsys, override)
