"""Without a terminal, progress is a few plain lines."""

import logging

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
