"""Shortens a development part, for learning curves: its last months, or a share of its rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.applications.date_cuts import Times
from pipelines.applications.settings import SplitSettings
from pipelines.credit.loan import add_months
from pipelines.errors import ConfigurationError, DataError

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Shortening:
    """How much of a development part is learnt from: its last `months` (None: all), and a `share` of these rows."""

    months: int | None = None
    share: float = 1.0
    seed: int = 0

    @classmethod
    def of(cls, settings: SplitSettings, *, has_times: bool) -> "Shortening":
        """Return the shortening that the settings ask for.

        Raises:
            ConfigurationError: months or a share out of range, or months of applications without times.
        """
        months, share = settings.months, settings.share
        if months is not None and months < 1:
            raise ConfigurationError(f"split.months is {months}; set at least 1, for example 6, or null for all")
        if not 0 < share <= 1:
            raise ConfigurationError(f"split.share is {share}; set a share above 0 and at most 1, such as 0.5")
        if months is not None and not has_times:
            raise ConfigurationError(
                f"split.months is {months} but data.time is not set; add data.time=COLUMN, or learn from a share of "
                "the applications with split.share=0.5"
            )
        return cls(months, share, settings.seed)

    def __bool__(self) -> bool:
        return self.months is not None or self.share < 1

    def __str__(self) -> str:
        """Return the settings in words, as overrides."""
        months = [] if self.months is None else [f"split.months={self.months}"]
        return " and ".join([*months, *([f"split.share={self.share:g}"] if self.share < 1 else [])])

    def keep(self, bad: NDArray[np.int8], times: Times | None = None) -> Rows:
        """Return the rows to learn from, by the outcomes and times of a development part, shape (n,).

        Months are counted back from the latest of the times. A share is drawn for each outcome on its own; what a
        smaller share keeps, a larger one of the same rows keeps too.
        """
        is_kept = np.ones(len(bad), bool)
        if self.months is not None and times is not None and len(times):
            is_kept = times > add_months(times.max()[np.newaxis], -self.months)[0]
        rows = np.flatnonzero(is_kept)
        if self.share == 1:
            return rows
        order = np.random.default_rng(self.seed).permutation(len(rows))
        drawn = [order[bad[rows][order] == outcome] for outcome in (0, 1)]
        return np.sort(rows[np.concatenate([one[: round(self.share * len(one))] for one in drawn])])

    @property
    def note(self) -> str:
        """The shortening as a part of a split's description, empty without one."""
        return f" ({self})" if self else ""

    def checked(self, bad: NDArray[np.int8], folds: int) -> Rows:
        """Return the rows to learn from of a development part without times. Raises DataError if they are too few."""
        rows = self.keep(bad)
        if self and min(bad[rows].sum(), len(rows) - bad[rows].sum()) < folds:
            raise self.refusal(bad, folds)
        return rows

    def refusal(self, bad: NDArray[np.int8], folds: int, times: Times | None = None) -> DataError:
        """Return the error that too few rows of a development part are left."""
        rows = self.keep(bad, times)
        return DataError(
            f"{self} leaves {len(rows):,} of the {len(bad):,} applications of the development part, "
            f"{int(bad[rows].sum()):,} of them bad, too few for {folds} folds; raise it or lower split.folds"
        )


WHOLE = Shortening()
"""All of a development part."""
