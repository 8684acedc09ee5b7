"""Without a terminal, progress is a few plain lines."""

import logging
import re

import pytest

from pipelines.command.progress import LINES, progress

LOG = logging.getLogger("pipelines.test")


@pytest.mark.parametrize("total", [1, 7, 10, 95, 1000])
def test_a_few_lines_tell_how_far_things_are(total: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with progress("search", total, LOG) as advance:
        for done in range(1, total + 1):
            advance(done, "best 0.75")
    told = [record.getMessage() for record in caplog.records]
    assert min(total, LINES) <= len(told) <= 2 * LINES
    assert told[-1] == f"search {total}/{total} best 0.75"


def test_work_of_unknown_length_has_fewer_and_fewer_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with progress("search", None, LOG) as advance:
        for done in range(1, 1000):
            advance(done, "best 0.75")
    logged = [int(record.getMessage().split()[1]) for record in caplog.records]
    assert logged == [*range(1, 10), *range(10, 100, 10), *range(100, 1000, 100)]


def test_a_line_that_was_passed_over_is_made_up_for(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with progress("search", 30, LOG) as advance:
        for done in (2, 5, 11, 30):
            advance(done, "")
    assert [record.getMessage().split()[1] for record in caplog.records] == ["5/30", "11/30", "30/30"]


def test_a_bar_and_its_words_fit_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    words = "best AUC 0.7875 by hist_gradient_boosting, 100:00 left"
    with progress("auto trials", None, LOG) as advance:
        advance(12, words)
    lines = re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err))
    assert max(map(len, lines)) <= 80
    assert any(line.rstrip().endswith(words) for line in lines)
