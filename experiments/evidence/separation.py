"""How far apart the good and the bad applications lie on the points scale: what ROC and KS are drawn from."""

import numpy as np
from numpy.typing import NDArray

MOST_PLACES = 120


def separation(bad: NDArray[np.int8], whole_points: NDArray[np.int64]) -> list[dict[str, float]]:
    """Return the shares of the good and of the bad applications, both shape (n,), with at most so many points.

    Declining all up to `points` flags these shares: they are the ROC curve, and their largest distance is KS. Where the
    scale has more than 120 values they are thinned; the one at the largest distance is always among them.

    >>> separation(np.array([1, 1, 0], np.int8), np.array([500, 600, 600]))
    [{'points': 500, 'good': 0.0, 'bad': 0.5}, {'points': 600, 'good': 1.0, 'bad': 1.0}]
    """
    places, where = np.unique(whole_points, return_inverse=True)
    bads = np.bincount(where, weights=bad == 1)
    goods = np.bincount(where, weights=bad == 0)
    shares = np.cumsum(goods) / goods.sum(), np.cumsum(bads) / bads.sum()
    widest = int(np.argmax(np.abs(shares[0] - shares[1])))
    kept = np.union1d(np.linspace(0, len(places) - 1, min(len(places), MOST_PLACES)).round().astype(int), [widest])
    told = zip(places[kept].tolist(), shares[0][kept].tolist(), shares[1][kept].tolist(), strict=True)
    return [{"points": at, "good": good, "bad": bad_share} for at, good, bad_share in told]
