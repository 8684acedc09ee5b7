"""The chart of the whole score: shares in equal steps of points, of the reference and of the window."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from monitoring.measures.score_comparison import ScoreComparison
from pipelines.charts.number_formats import percent
from pipelines.charts.series_chart import Chart, Mark, Series

MOST_STEPS, FEWEST_STEPS = 40, 8
ROUND_STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1_000)


def distribution_chart(score: ScoreComparison) -> Chart:
    """Return the chart of a score that was compared point by point.

    It has as many steps as the square root of the rows of the smaller side, within limits: more would show chance.
    """
    points = np.array(score.points)
    rows = min(sum(score.reference), sum(score.current))
    most = min(MOST_STEPS, max(FEWEST_STEPS, math.isqrt(rows)))
    span = int(points.max() - points.min()) + 1
    step = next((one for one in ROUND_STEPS if span <= one * most), -(-span // most))
    first = int(points.min()) // step * step
    into = (points - first) // step
    starts = [first + step * index for index in range(int(into.max()) + 1)]
    return Chart(
        "Distribution of points",
        f"Distribution of points in steps of {step}, in the reference and in this window",
        [
            _line("reference", "known", score.reference, into, starts, step),
            _line("this window", "now", score.current, into, starts, step),
        ],
        [str(start) for start in starts],
        share=True,
        along=f"points, in steps of {step}" if step > 1 else "points",
        from_zero=True,
    )


def _line(
    name: str, kind: str, counts: Sequence[int], into: NDArray[np.int64], starts: Sequence[int], step: int
) -> Series:
    shares = np.bincount(into, weights=np.array(counts), minlength=len(starts)) / max(sum(counts), 1)
    marks = [
        Mark(index, float(share), f"{start} to {start + step - 1}, {name}: {percent(float(share))}")
        for index, (start, share) in enumerate(zip(starts, shares, strict=True))
    ]
    return Series(name, kind, marks, joined=True, dots=False)
