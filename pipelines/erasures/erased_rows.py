"""Rows of erased people in data that is read again from outside the workspace: they are left out and counted."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.erasures.record import Erasures
from pipelines.erasures.salt import Kind, hashed


@dataclass(frozen=True)
class ErasedRows:
    """Finds the rows of erased people, for tables that are read row by row and not by `prepare`."""

    erasures: Erasures

    def __bool__(self) -> bool:
        return bool(self.erasures)

    def rows(
        self,
        customers: NDArray[np.object_] | None = None,
        applications: NDArray[np.object_] | None = None,
    ) -> NDArray[np.bool_]:
        """Return whether each row is an erased person's, shape (n,), given its ids as text; None is missing.

        Where a row has a customer id, that decides. Takes a microsecond a row where somebody was erased.
        """
        if customers is None:
            return self._applications(applications) if applications is not None else np.zeros(0, bool)
        erased = self._erased(Kind.customer, customers, self.erasures.customers)
        if applications is not None:
            unnamed = np.array([one is None for one in customers], bool)
            erased[unnamed] = self._applications(applications[unnamed])
        return erased

    def _applications(self, ids: NDArray[np.object_]) -> NDArray[np.bool_]:
        return self._erased(Kind.application, ids, self.erasures.hashes.get(Kind.application, frozenset()))

    def _erased(self, kind: Kind, ids: NDArray[np.object_], hashes: Collection[str]) -> NDArray[np.bool_]:
        salt = self.erasures.salt
        erased = (one is not None and hashed(salt, kind, one) in hashes for one in ids)
        return np.fromiter(erased, bool, len(ids))
