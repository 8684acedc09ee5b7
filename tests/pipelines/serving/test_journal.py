"""The journal: one order of decisions for all workers, whole records only, and none twice."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.serving.journal import CHUNK, Journal, Record, application_digest


def record(number: int, size: int = 40) -> Record:
    identity = application_digest("model", "2026-10", str(number))
    return Record(identity, b"r" * 16, number.to_bytes(16, "big"), bytes([number % 256]) * size)


def write(journal: Journal, *numbers: int, size: int = 40) -> None:
    with journal.locked():
        journal.append([record(number, size) for number in numbers])


def held(journal: Journal) -> list[int]:
    journal.look()
    return [int.from_bytes(location.decision, "big") for one in journal._segments for location in one.locations]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Journal, Journal]]:
    """Two workers' views of one journal."""
    both = Journal(tmp_path), Journal(tmp_path)
    yield both
    for one in both:
        one.close()


def test_what_one_worker_writes_the_other_reads(two: tuple[Journal, Journal]) -> None:
    for number in range(10):
        write(two[number % 2], number)
    for journal in two:
        place = journal.of_decision(record(7).decision)
        assert place is not None
        assert place.segment.body(place) == record(7).body
        assert held(journal) == list(range(10))
    assert two[0].of_decision(record(99).decision) is None


def test_under_the_lock_the_others_decisions_are_known(two: tuple[Journal, Journal]) -> None:
    write(two[0], 1)
    assert two[1].of_application(record(1).application) is None
    with two[1].locked():
        found = two[1].of_application(record(1).application)
        assert found is not None
        assert found.request == b"r" * 16


@pytest.mark.parametrize("kept", [1, 59, 60, 61, 90, 99])
def test_a_record_that_was_cut_off_is_set_aside_and_the_rest_goes_on(tmp_path: Path, kept: int) -> None:
    first = Journal(tmp_path)
    write(first, 1, 2)
    path = first._segments[-1].path
    with path.open("ab") as file:
        file.write(record(3).framed()[:kept])
    assert held(first) == [1, 2]
    write(first, 4)
    first.close()
    again = Journal(tmp_path)
    assert held(again) == [1, 2, 4]
    assert [one.read_bytes() for one in tmp_path.glob("*.torn-*")] == [record(3).framed()[:kept]]
    again.close()


def test_a_record_that_was_garbled_is_not_taken_for_one(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    write(first, 1, 2)
    data = bytearray(first._segments[-1].path.read_bytes())
    data[-3] ^= 1
    first._segments[-1].path.write_bytes(data)
    first.close()
    again = Journal(tmp_path)
    assert held(again) == [1]
    again.close()


def test_records_larger_than_what_is_read_at_once_are_read(two: tuple[Journal, Journal]) -> None:
    write(two[0], 1, size=CHUNK + 10)
    write(two[0], 2)
    write(two[0], 3, size=3 * CHUNK)
    assert held(two[1]) == [1, 2, 3]


def test_who_was_away_while_segments_were_rolled_goes_on_with_the_present_one(two: tuple[Journal, Journal]) -> None:
    busy, idle = two
    write(busy, 1)
    assert held(idle) == [1]
    for number in (2, 3, 4):
        with busy.locked():
            busy.seal()
        for segment in busy.sealed():
            segment.path.unlink()
        busy.forget_rolled()
        write(busy, number)
    assert held(busy) == [4]
    write(idle, 5)
    idle.forget_rolled()
    assert held(idle) == [4, 5]
    assert held(busy) == [4, 5]
    assert idle.of_decision(record(1).decision) is None


def test_nothing_is_sealed_where_nothing_is_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for _ in range(3):
        with journal.locked():
            journal.seal()
    assert (journal.sealed(), journal.waiting()) == ([], 0)
    journal.close()


def test_a_full_disk_leaves_what_was_there(two: tuple[Journal, Journal], monkeypatch: pytest.MonkeyPatch) -> None:
    write(two[0], 1)
    whole, calls = os.pwrite, []

    def full(file: int, data: bytes, position: int) -> int:
        calls.append(position)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return whole(file, data[:10], position)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="No space"):
        write(two[0], 2)
    monkeypatch.undo()
    write(two[0], 3)
    assert held(two[1]) == [1, 3]
