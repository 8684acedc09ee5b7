"""Tasks run side by side and answer in their order; what is not needed any more is not started."""

import threading
import time
from contextlib import closing
from functools import partial
from itertools import islice

import pytest

from pipelines.storage.side_by_side import side_by_side


@pytest.mark.parametrize("at_once", [0, 1, 2, 5])
def test_answers_come_in_the_order_of_the_tasks(at_once: int) -> None:
    def answer(number: int) -> int:
        time.sleep(0.002 * (5 - number))
        return number

    assert list(side_by_side([partial(answer, number) for number in range(6)], at_once)) == list(range(6))


def test_as_many_tasks_run_as_may() -> None:
    meeting = threading.Barrier(3, timeout=20)  # is passed when three have come
    assert len(list(side_by_side([meeting.wait] * 3, 3))) == 3


def test_a_task_within_a_task_runs_in_its_thread() -> None:
    def threads_of(_: int) -> set[str]:
        return set(side_by_side([lambda: threading.current_thread().name] * 3, 3)) | {threading.current_thread().name}

    assert [len(one) for one in side_by_side([partial(threads_of, number) for number in range(3)], 3)] == [1, 1, 1]


def test_tasks_whose_answers_are_not_needed_are_not_started() -> None:
    started = []

    def task(number: int) -> int:
        started.append(number)
        return number

    with closing(side_by_side([partial(task, number) for number in range(200)], 2)) as answers:
        assert list(islice(answers, 2)) == [0, 1]
    count = len(started)
    assert count < 200
    time.sleep(0.01)
    assert len(started) == count


@pytest.mark.parametrize("at_once", [1, 3])
def test_the_error_of_a_task_is_raised_in_its_turn(at_once: int) -> None:
    def fail() -> int:
        raise ValueError("of the second task")

    answers = side_by_side([lambda: 1, fail, lambda: 3], at_once)
    assert next(answers) == 1
    with pytest.raises(ValueError, match="of the second task"):
        next(answers)
