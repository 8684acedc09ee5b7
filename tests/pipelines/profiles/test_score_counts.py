"""Counts of whole points are those of the rows, add up, and say what any cut-off would approve."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.profiles.score_counts import ScoreCounts

scores = st.lists(st.tuples(st.integers(350, 420), st.floats(0, 1)), max_size=80)


def counted(rows: list[tuple[int, float]]) -> ScoreCounts:
    return ScoreCounts.of(np.array([one for one, _ in rows], np.int64), np.array([one for _, one in rows], float))


@given(scores, scores, st.integers(340, 430))
def test_parts_add_up_to_the_counts_of_all_rows(first: list, second: list, cut_off: int) -> None:  # type: ignore[type-arg]
    both, whole = counted(first) + counted(second), counted(first + second)
    assert both.points.tolist() == whole.points.tolist() == sorted({points for points, _ in first + second})
    assert both.rows.tolist() == whole.rows.tolist()
    np.testing.assert_allclose(both.pd, whole.pd)
    reaching = [pd for points, pd in first + second if points >= cut_off]
    approved = both.reaching(cut_off)
    assert len(approved) == len(reaching)
    if reaching:
        np.testing.assert_allclose(approved.mean_pd, np.mean(reaching))
    else:
        assert approved.mean_pd is None
    below = sum(points < cut_off for points, _ in first + second)
    assert both.between([cut_off]).tolist() == [below, len(reaching)]


@given(scores)
def test_counts_survive_their_record(rows: list) -> None:  # type: ignore[type-arg]
    told = counted(rows)
    again = ScoreCounts.of_record(told.record())
    assert again.record() == told.record()
