"""Estimates as they were made before outcomes were known, stored so that hindsight cannot change them."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines.credit.importance import Recalibration
from pipelines.credit.label_free import Estimate, LabelFree
from pipelines.errors import ThinfileError
from pipelines.score_log.key import LogKey
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.lock import file_lock
from pipelines.storage.workspace import Workspace

MEASURES = ("auc", "gini", "ks", "brier", "bad_rate")
CALIBRATED, RECALIBRATED, REWEIGHTED = METHODS = ("calibrated", "recalibrated", "reweighted")
"""How an estimate was made: from the PDs of the model; from PDs recalibrated on earlier loans that the model was not
fitted on; from PDs recalibrated on such loans, weighted to resemble the present applications."""


@dataclass(frozen=True)
class StoredEstimate:
    """An estimate of a vintage, and what was known when it was made.

    `outcomes_known` counts the outcomes of the vintage by any definition at that time. The estimate does not use them,
    but above 0 this cannot be proven. `recalibration` is None for the PDs of the model.
    """

    period: str
    method: str
    made_at: datetime
    outcomes_known: int
    estimate: LabelFree
    recalibration: Recalibration | None = None

    @property
    def is_foresight(self) -> bool:
        """Whether no outcome of the vintage was known."""
        return self.outcomes_known == 0


class StoredEstimates:
    """Small Parquet files in one folder, one per vintage, method and set of loans; none is overwritten.

    `others` has the folder of each period that another version of the model decided.
    """

    def __init__(self, folder: Path, others: Mapping[str, Path] | None = None) -> None:
        self._folder, self._others = folder, others or {}

    def _of(self, period: str) -> Path:
        return self._others.get(period, self._folder)

    def store(self, new: StoredEstimate, ids: NDArray[np.str_], probability: NDArray[np.float64]) -> None:
        """Store an estimate of loans by their ids and PDs, unless they have one."""
        path = self._path(new.period, new.method, ids, probability)
        with file_lock(self._of(new.period) / ".lock"):
            if not path.exists():
                with whole_file(path) as temporary:
                    pq.write_table(_table(new), temporary)

    def has(self, period: str, method: str, ids: NDArray[np.str_], probability: NDArray[np.float64]) -> bool:
        """Return whether exactly these loans with these PDs have an estimate."""
        return self._path(period, method, ids, probability).exists()

    def _path(self, period: str, method: str, ids: NDArray[np.str_], probability: NDArray[np.float64]) -> Path:
        return self._of(period) / f"{period}-{method}-{_fingerprint(ids, probability)}.parquet"

    def to_reconcile(self, period: str, method: str) -> StoredEstimate | None:
        """Return the estimate to compare with the matured outcomes: that of the most loans, the oldest of several.

        A running month is estimated more than once.
        """
        estimates = [_read(path) for path in self._of(period).glob(f"{period}-{method}-*.parquet")]
        return max(estimates, key=lambda one: (one.estimate.rows, -one.made_at.timestamp()), default=None)


def estimates_folder(workspace: Workspace, key: LogKey) -> Path:
    """Return the folder of the estimates of a model version and population, next to its reports."""
    return workspace.reports / key.model / f"version-{key.version}" / key.population.value / "estimates"


def _fingerprint(ids: NDArray[np.str_], probability: NDArray[np.float64]) -> str:
    """Return a name for a set of loans with their PDs, independent of their order."""
    order = np.argsort(ids, kind="stable")
    digest = hashlib.sha256("\n".join(ids[order].tolist()).encode())
    digest.update(np.ascontiguousarray(probability[order], "<f8").tobytes())
    return digest.hexdigest()[:16]


def _table(new: StoredEstimate) -> pa.Table:
    rows = [asdict(getattr(new.estimate, measure)) | {"measure": measure} for measure in MEASURES]
    constant = {
        "period": new.period,
        "method": new.method,
        "made_at": new.made_at.astimezone(UTC).isoformat(),
        "outcomes_known": new.outcomes_known,
        "rows": new.estimate.rows,
        "cannot_see": list(new.estimate.cannot_see),
        "recalibration": None if new.recalibration is None else asdict(new.recalibration),
    }
    return pa.Table.from_pylist([row | constant for row in rows])


def _read(path: Path) -> StoredEstimate:
    try:
        rows = pq.read_table(path, partitioning=None).to_pylist()
        first = rows[0]
        measures = {row["measure"]: Estimate(row["value"], row["low"], row["high"]) for row in rows}
        estimate = LabelFree(first["rows"], **measures, cannot_see=tuple(first["cannot_see"]))
        made_at = datetime.fromisoformat(first["made_at"])
        recalibration = _recalibration(first["recalibration"])
        return StoredEstimate(
            first["period"], first["method"], made_at, first["outcomes_known"], estimate, recalibration
        )
    except (OSError, ValueError, LookupError, TypeError, pa.ArrowException) as error:
        raise ThinfileError(
            f"the stored estimate '{path}' cannot be read ({error}); restore it from a backup"
        ) from error


def _recalibration(stored: Mapping[str, Any] | None) -> Recalibration | None:
    if stored is None:
        return None
    (first, both), (_, second) = stored["covariance"]
    return Recalibration(stored["intercept"], stored["slope"], ((first, both), (both, second)), stored["rows"])
