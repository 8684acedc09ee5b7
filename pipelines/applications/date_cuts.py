"""Cuts a history into consecutive blocks that begin at distinct dates and have both outcomes."""

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.datetime64]


class DateCuts:
    """The dates of applications at which a block may begin, by `times` and `bad`, both of shape (n,)."""

    def __init__(self, times: Times, bad: NDArray[np.int8]) -> None:
        self.dates, index = np.unique(times, return_inverse=True)
        self._bads = np.concatenate([[0], np.cumsum(np.bincount(index, weights=bad == 1))])
        self._rows = np.concatenate([[0], np.cumsum(np.bincount(index))])

    @property
    def most_blocks(self) -> int:
        """The largest number of consecutive blocks with both outcomes in each."""
        blocks, begin = 0, 0
        while (end := self._first_end(begin)) is not None:
            blocks, begin = blocks + 1, end
        return blocks

    def starts(self, blocks: int) -> Times | None:
        """Return the first date of each block but the first, or None where the dates allow fewer blocks.

        Blocks have about equally many rows. A cut moves to the next date where a block would lack rows or an outcome.
        """
        if blocks > self.most_blocks:
            return None
        latest = self._latest_starts(blocks)
        starts: list[int] = []
        for block in range(1, blocks):
            target = int(np.searchsorted(self._rows, self._rows[-1] * block // blocks, side="right")) - 1
            earliest = self._first_end(starts[-1] if starts else 0)
            assert earliest is not None
            starts.append(min(max(target, earliest), latest[block]))
        return np.asarray(self.dates[starts])

    def _latest_starts(self, blocks: int) -> list[int]:
        """Return the latest start of each block, as indices of dates, that leaves all later blocks both outcomes."""
        starts, end = [], len(self.dates)
        for _ in range(blocks):
            begin = end - 1
            while not self._has_both(begin, end):
                begin -= 1
            starts.append(begin)
            end = begin
        return starts[::-1]

    def _first_end(self, begin: int) -> int | None:
        """Return the first end of a block from `begin` on with both outcomes, None without one."""
        bads = np.searchsorted(self._bads, self._bads[begin] + 1)
        goods = np.searchsorted(self._rows - self._bads, self._rows[begin] - self._bads[begin] + 1)
        end = int(max(bads, goods))
        return end if end < len(self._rows) else None

    def _has_both(self, begin: int, end: int) -> bool:
        bads, rows = self._bads[end] - self._bads[begin], self._rows[end] - self._rows[begin]
        return bool(0 < bads < rows)
