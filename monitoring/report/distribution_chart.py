"""The distribution of exact points as a picture: two lines over equal steps, where bars would be too many."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from monitoring.period_report import Move
from monitoring.report.bars import MOST_BARS
from monitoring.report.chart import Chart, Mark, Series
from monitoring.report.spelling import percent

MOST_STEPS = 40
ROUND_STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1_000)


def distribution_chart(move: Move) -> Chart | None:
    """Return the picture of a move whose bins are whole numbers, too many for bars; None for any other.

    Bins that are no number (missing) are part of the whole and are not drawn.
    """
    places = [(int(label), place) for place, label in enumerate(move.labels) if label.lstrip("-").isdigit()]
    if len(places) <= MOST_BARS or len(places) < len(move.labels) - MOST_BARS:
        return None
    values = np.array([value for value, _ in places])
    span = int(values.max() - values.min()) + 1
    step = next((one for one in ROUND_STEPS if span <= one * MOST_STEPS), span)
    first = int(values.min()) // step * step
    into = (values - first) // step
    starts = [first + step * place for place in range(int(into.max()) + 1)]
    taken = [place for _, place in places]
    series = [
        _line("reference", np.array(move.reference), taken, into, starts, step),
        _line("this window", np.array(move.current), taken, into, starts, step),
    ]
    return Chart(
        move.column,
        f"Distribution of {move.column} in steps of {step}, reference and this window",
        series,
        [str(start) for start in starts],
        share=True,
        along=f"{move.column}, in steps of {step}",
        from_zero=True,
    )


def _line(
    name: str,
    counts: NDArray[np.int64],
    taken: Sequence[int],
    into: NDArray[np.int64],
    starts: Sequence[int],
    step: int,
) -> Series:
    shares = np.bincount(into, weights=counts[list(taken)], minlength=len(starts)) / max(int(counts.sum()), 1)
    marks = [
        Mark(place, float(share), f"{start} to {start + step - 1}, {name}: {percent(float(share))}")
        for place, (start, share) in enumerate(zip(starts, shares, strict=True))
    ]
    return Series(name, "known" if name == "reference" else "now", marks, joined=True, dots=False)
