"""Which alarms are the same, lesser or worse."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.alarms.alarm import IN_A_SEGMENT, Alarm, alarm_of
from monitoring.measures.move import Move
from monitoring.thresholds.thresholds import Level
from monitoring.verdict.causes import CONCEPT_CHANGE, DATA_FAULT, LEVEL_SHIFT, MIX_SHIFT
from monitoring.verdict.period_report import Verdict
from tests.monitoring.alarms.reports import FAULT, move, report


def alarm(*moves: Move, verdict: Verdict = Verdict.ACT, **told: object) -> Alarm:
    found = alarm_of(report(moves, verdict, **told))  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.parametrize("verdict", [Verdict.STABLE, Verdict.INCOMPLETE])
def test_a_quiet_verdict_is_no_alarm(verdict: Verdict) -> None:
    assert alarm_of(report(verdict=verdict)) is None


def test_causes_are_named_by_column_and_level_and_name_no_segment() -> None:
    moves = [
        move("age", Level.WATCH, "town=Ann Lee's"),
        move("income", Level.WATCH),
        move("income", Level.WATCH, "x"),
        move("points", Level.WATCH),
        move("points", Level.ACT, "x"),
        move("term", Level.QUIET),
        move("sex", Level.TOO_SMALL),
    ]
    found = alarm(*moves, faults=[FAULT], causes=(DATA_FAULT, CONCEPT_CHANGE, MIX_SHIFT))
    assert found.causes == {
        "unit changed: income": Level.ACT,
        "concept change": Level.ACT,
        "points in a segment": Level.ACT,
        "points": Level.WATCH,
        "income": Level.WATCH,
        "age in a segment": Level.WATCH,
    }
    assert Alarm.from_record(found.record()) == found


def test_an_alarm_covers_what_says_nothing_new() -> None:
    both = alarm(move("income"), move("age", Level.WATCH))
    assert both.covers(both)
    assert both.covers(alarm(move("income")))
    assert both.covers(alarm(move("income", Level.WATCH), verdict=Verdict.WATCH, period="2027-01"))
    assert both.covers(alarm(move("income", segment="x")))


@pytest.mark.parametrize(
    "worse",
    [
        alarm(move("income"), move("age")),
        alarm(move("income"), move("term", Level.WATCH)),
        alarm(move("income"), faults=[FAULT]),
        alarm(move("income"), causes=(LEVEL_SHIFT,)),
    ],
)
def test_a_new_cause_or_a_higher_level_is_worse(worse: Alarm) -> None:
    assert not alarm(move("income"), move("age", Level.WATCH)).covers(worse)


def test_everyone_is_worse_than_a_segment_and_act_than_watch() -> None:
    assert not alarm(move("income", segment="x")).covers(alarm(move("income")))
    assert not alarm(move("income"), verdict=Verdict.WATCH).covers(alarm(move("income")))


def test_another_version_is_another_model() -> None:
    one = alarm(move("income"))
    assert not one.covers(replace(one, key=replace(one.key, version=4)))


def test_the_same_report_has_the_same_id() -> None:
    assert alarm(move("income"), move("age")).id == alarm(move("age"), move("income")).id
    assert alarm(move("income")).id != alarm(move("income"), period="2026-11").id


ALARMS = st.builds(
    lambda causes, level: replace(alarm(), causes=causes, level=level),
    st.dictionaries(st.sampled_from(["a", f"a{IN_A_SEGMENT}", "b"]), st.sampled_from([Level.WATCH, Level.ACT])),
    st.sampled_from([Verdict.INCONCLUSIVE, Verdict.WATCH, Verdict.ACT]),
)


@given(ALARMS, ALARMS, ALARMS)
def test_to_cover_is_an_order(one: Alarm, two: Alarm, three: Alarm) -> None:
    assert one.covers(one)
    if one.covers(two) and two.covers(three):
        assert one.covers(three)
