"""Bad input: one clear message, exit code 2, and nothing written."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import thinfile
from tests.evidence.conftest import Evidence

ROWS = 200
Table = Callable[[pd.DataFrame], pd.DataFrame]

CASES: dict[str, tuple[Table | str | None, list[str], str]] = {
    "a missing file": (None, [], "where there is no table; set it to a file"),
    "a label with three values": (
        lambda t: t.assign(bad=t.index % 3),
        [],
        "has 3 values .*'0' 67, '1' 67, '2' 66.*; set data.bad",
    ),
    "a label column with one class": (lambda t: t.assign(bad=1), [], r"has 1 values \('1' 200\).*; set data.bad"),
    "an id that repeats": (
        lambda t: t.assign(id="A7"),
        [],
        "'id' has duplicates, such as 'A7'.*; remove the duplicates",
    ),
    "a numeric column full of text": (
        lambda t: t.assign(income="much"),
        ["data.numeric=[income]"],
        "200 of 200 rows break .* most often: 'income' is not a number .*'much'.*; correct the column",
    ),
    "an empty file": ("", [], "cannot be read as csv .*; check the file"),
    "a file of headings": (lambda t: t.head(0), [], "has no rows; check data.path"),
    "an unknown candidate": (lambda t: t, ["candidate=catbost"], "candidate=catbost; did you mean catboost"),
    "a search of 0 trials": (lambda t: t, ["trials=0"], "trials must be at least 1, received 0; use"),
    "a split date without test rows": (
        lambda t: t,
        ["data.time=applied_at", "split.cutoff=2030-01-01"],
        r"no application was made on or after the cutoff 2030-01-01 \(latest 2024-07-18\); lower split.cutoff",
    ),
    "numbers with marks": (
        lambda t: t.assign(income=[f"{1000 + row:,} €" for row in range(ROWS)]),
        [],
        r"numbers of 'income' \(such as '1,000 €'\) have marks .*; set 'data.decimal.* or 'data.thousands=.* text with",
    ),
    "digits for dates": (
        lambda t: t.assign(applied_at=20240101),
        ["data.time=applied_at"],
        "'applied_at' has numbers .first 20240101.; set data.date_format=%Y%m%d if these are times",
    ),
    "a date format without a year": (
        lambda t: t,
        ["data.time=applied_at", "data.date_format=%d/%m"],
        "data.date_format is '%d/%m', which has no year .*; write it as",
    ),
    "a date format that the dates do not have": (
        lambda t: t.assign(applied_at=t["applied_at"].dt.strftime("%d.%m.%Y")),
        ["data.time=applied_at", "data.date_format=%d/%m/%Y"],
        "'applied_at' is not a date .200 rows, first '01.01.2024' in row 1.; data.date_format is %d/%m/%Y; correct",
    ),
    "special codes of the id": (
        lambda t: t,
        ["data.special={id: [1]}"],
        "data.special names 'id', which is the column of data.id; special codes are for numeric features",
    ),
    "a misspelt key": (lambda t: t, ["trails=3"], "unknown key 'trails'; did you mean trials"),
    "a protected feature": (
        lambda t: t,
        ["data.protected=[income]", "data.numeric=[income]"],
        "column 'income' has 2 roles",
    ),
}


def test_bad_input_is_told_once_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], evidence: Evidence
) -> None:
    wrong = [case for case in CASES if not _is_told_once(case, tmp_path / case.replace(" ", "-"), capsys)]
    evidence.record(
        "07-bad-input",
        claim="bad input: one clear message, exit code 2, nothing written",
        value=f"{len(CASES) - len(wrong)} of {len(CASES)} cases",
        bound="all",
        holds=not wrong,
    )
    assert not wrong


def _is_told_once(case: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> bool:
    change, overrides, message = CASES[case]
    folder.mkdir()
    path, workspace = _write(change, folder / "applications.csv"), folder / "workspace"
    words = ["data=table", f"data.path={path}", "data.label=bad", "data.id=id", f"workspace={workspace}", *overrides]
    code, told = thinfile.main(["tune", *words]), capsys.readouterr()
    is_one_message = told.out == "" and len(told.err.strip().splitlines()) == 1
    return code == 2 and is_one_message and bool(re.search(message, told.err)) and not workspace.exists()


def _write(change: Table | str | None, path: Path) -> Path:
    generator = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "id": [f"A{row}" for row in range(ROWS)],
            "income": generator.normal(size=ROWS),
            "bad": generator.integers(0, 2, ROWS),
            "applied_at": pd.date_range("2024-01-01", periods=ROWS),
        }
    )
    if isinstance(change, str):
        path.write_text(change)
    elif change is not None:
        change(table).to_csv(path, index=False)
    return path
