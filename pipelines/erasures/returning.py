"""Erased people who come back: rows that are read from outside the workspace again are left out, and counted."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipelines.erasures.record import Erasures
from pipelines.erasures.salt import Kind, hashed

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Returning:
    """Which rows of a table are an erased person's: for tables that are read row by row and not by `prepare`."""

    erasures: Erasures

    def __bool__(self) -> bool:
        return bool(self.erasures)

    def rows(
        self, customers: NDArray[np.object_] | None = None, applications: NDArray[np.object_] | None = None
    ) -> NDArray[np.bool_]:
        """Return whether each row is an erased person's, shape (n,), by the ids that are told: text, None is missing.

        Where a row names its customer, that decides. A microsecond a row where somebody was erased.
        """
        if customers is None:
            return self._are(Kind.application, applications) if applications is not None else np.zeros(0, bool)
        found = self._are(Kind.customer, customers)
        if applications is not None:
            unnamed = np.array([one is None for one in customers], bool)
            found[unnamed] = self._are(Kind.application, applications[unnamed])
        return found

    def _are(self, kind: Kind, ids: NDArray[np.object_]) -> NDArray[np.bool_]:
        known, salt = self.erasures.hashes.get(kind, frozenset()), self.erasures.salt
        are = (one is not None and hashed(salt, kind, str(one)) in known for one in ids)
        return np.fromiter(are, bool, len(ids))
