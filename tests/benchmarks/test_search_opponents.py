"""Thinfile's search beside FLAML, AutoGluon and a blend of bags, in turn on the same rows: `make bench`.

Two hours on two idle cores; started again it goes on with what is missing (docs/contributing.md).
"""

import pytest

from tests.benchmarks.opponents.environments import FOLDER
from tests.benchmarks.opponents.measure import measure
from tests.benchmarks.opponents.picture import draw
from tests.benchmarks.opponents.plan import COMPARED, GLUED, PLAN, SHORTER, a_tenth_of, runs_of
from tests.benchmarks.opponents.summary import lines_of, table_of
from tests.benchmarks.opponents.systems import DEFAULT_COST, OURS, THINFILE


def test_searches_in_turn(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--benchmarks"):
        pytest.skip("benchmarks run with --benchmarks (make bench)")
    for series in PLAN:
        if series.data.missing or THINFILE.missing:
            print(f"{series.data.title} is left out: {series.data.missing or THINFILE.missing}")
    measured = measure(FOLDER, [*runs_of([SHORTER, *PLAN]), GLUED])
    measured += measure(FOLDER, a_tenth_of(measured))
    for ours in (THINFILE, DEFAULT_COST):
        print(f"\n{ours.name}")
        print(table_of([line for series in PLAN for line in lines_of(series, measured, ours.name)]))
    for one in measured:
        if one.key == GLUED.key or one.key in [run.key for run in a_tenth_of(measured)]:
            print(f"{one.data} seed {one.seed}: {one.system} {one.auc} after {one.wall:.0f} s")
    draw(COMPARED, measured, FOLDER / "search.svg")
    print(f"picture: {FOLDER / 'search.svg'}")
    failed = [one for one in measured if one.auc is None]
    for one in failed:
        print(f"failed: {one.data} seed {one.seed}, {one.seconds} s, {one.system}: {one.details['failure'][-300:]}")
    assert not [one for one in failed if one.system in OURS]
