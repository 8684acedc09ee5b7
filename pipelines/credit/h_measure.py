"""The H-measure: what a score saves, over all the costs that a wrong decision may have."""

import numpy as np

from pipelines.credit.arrays import Floats
from pipelines.credit.tally import Tally


def h_measure_of(counts: Tally) -> float:
    """Return the share of the avoidable loss that the best cut-offs avoid: 0 for no separation, 1 for a perfect one.

    Scores rise with risk. With cost c of declining a good application and 1 - c of approving a bad one, the loss at the
    best cut-off for each c lies on the convex hull of the ROC curve; it is averaged over c and compared with that of
    approving all or none (Hand 2009). Tied scores are one point of the curve.

    c is Beta(2, 1 + good/bad), whose mode is the bad rate: the default of the authors' R package hmeasure 1.0. The
    Beta(1 + p, 2 - p) of Hand and Anagnostopoulos (2014) has the same mode and is wider; the figures differ.

    >>> from pipelines.credit.tally import tally
    >>> round(h_measure_of(tally(np.array([0, 0, 1, 1], dtype=np.int8), np.array([0.1, 0.4, 0.35, 0.8]))), 6)
    0.5
    """
    goods, bads = roc_hull(counts)
    all_goods, all_bads = goods[-1], bads[-1]
    # From the riskiest score down c falls: between the slopes of two sides of the hull their corner is best.
    turns = np.diff(bads) / (np.diff(bads) + np.diff(goods))
    edges = np.concatenate([[1.0], turns, [0.0]])
    of_good, of_bad = _moments(edges, 1 + all_goods / all_bads)
    loss = goods @ -np.diff(of_good) + (all_bads - bads) @ -np.diff(of_bad)
    of_good, of_bad = _moments(np.array([all_bads / (all_goods + all_bads), 1.0]), 1 + all_goods / all_bads)
    trivial = all_goods * of_good[0] + all_bads * (of_bad[1] - of_bad[0])
    return float(max(1 - loss / trivial, 0.0))


def roc_hull(counts: Tally) -> tuple[Floats, Floats]:
    """Return the corners of the convex hull of the ROC curve: numbers of good and of bad flagged, from none to all.

    Points below the chord of their neighbours are dropped together until none is left. Each of them lies below the
    hull whatever happens to its neighbours, so the order does not matter (as in Ayer et al. 1955, whose pooled
    adjacent violators are the sides of the hull).
    """
    kept = counts.with_rows()
    goods = np.concatenate([[0.0], kept.good[::-1].cumsum()])
    bads = np.concatenate([[0.0], kept.bad[::-1].cumsum()])
    while True:
        right, up = np.diff(goods), np.diff(bads)
        stays = np.concatenate([[True], up[:-1] * right[1:] > up[1:] * right[:-1], [True]])
        if stays.all():
            return goods, bads
        goods, bads = goods[stays], bads[stays]


def _moments(upto: Floats, shape: float) -> tuple[Floats, Floats]:
    """Return the integrals of c and of 1 - c over Beta(2, shape) from 0 to each of `upto`.

    Both are incomplete beta functions with a whole first parameter, 3 and 2, and so have a closed form.
    """
    rest = 1 - upto
    third = 1 - rest**shape * (1 + shape * upto * (1 + (shape + 1) * upto / 2))
    second = 1 - rest ** (shape + 1) * (1 + (shape + 1) * upto)
    return 2 / (2 + shape) * third, shape / (2 + shape) * second
