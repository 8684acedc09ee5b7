"""Estimates as they were made, before outcomes were known: kept, so that hindsight cannot touch them."""

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
from pipelines.storage.lock import exclusive
from pipelines.storage.workspace import Workspace

MEASURES = ("auc", "gini", "ks", "brier", "bad_rate")
CALIBRATED, RECALIBRATED, REWEIGHTED = METHODS = ("calibrated", "recalibrated", "reweighted")
"""How an estimate was made: from the model's PDs as they are; from those recalibrated on earlier loans that the model
was not fitted on; from those recalibrated on such loans weighted to look like the present applications."""


@dataclass(frozen=True)
class KeptEstimate:
    """An estimate of a vintage, and what was known when it was made.

    `outcomes_known` counts the vintage's outcomes of any definition then: above 0 it was made with hindsight, which it
    did not use, but nobody can show that. `recalibration` is what was known of the calibration, None for PDs as they
    are.
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


class KeptEstimates:
    """Small Parquet files in one folder, one per vintage, method and set of loans; none is ever written again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, made: KeptEstimate, ids: NDArray[np.str_], probability: NDArray[np.float64]) -> KeptEstimate:
        """Keep an estimate of loans by their ids and PDs and return it; where these have one already, return that."""
        path = self._place(made.period, made.method, ids, probability)
        with exclusive(self._folder / ".lock"):
            if not path.exists():
                with whole_file(path) as temporary:
                    pq.write_table(_table(made), temporary)
        return _read(path)

    def find(
        self, period: str, method: str, ids: NDArray[np.str_], probability: NDArray[np.float64]
    ) -> KeptEstimate | None:
        """Return the estimate of exactly these loans with these PDs, None where there is none yet."""
        path = self._place(period, method, ids, probability)
        return _read(path) if path.exists() else None

    def _place(self, period: str, method: str, ids: NDArray[np.str_], probability: NDArray[np.float64]) -> Path:
        return self._folder / f"{period}-{method}-{_fingerprint(ids, probability)}.parquet"

    def of(self, period: str, method: str) -> list[KeptEstimate]:
        """Return the estimates of a vintage, oldest first: a running month is estimated more than once."""
        found = [_read(path) for path in self._folder.glob(f"{period}-{method}-*.parquet")]
        return sorted(found, key=lambda one: one.made_at)

    def to_reconcile(self, period: str, method: str) -> KeptEstimate | None:
        """Return the estimate that is held against the truth: of the most loans, and of several such the oldest."""
        found = self.of(period, method)
        return max(found, key=lambda one: (one.estimate.rows, -one.made_at.timestamp())) if found else None


def estimates_folder(workspace: Workspace, key: LogKey) -> Path:
    """Return where the estimates of a model version and population are kept: beside its reports."""
    return workspace.reports / key.model / f"version-{key.version}" / key.population.value / "estimates"


def _fingerprint(ids: NDArray[np.str_], probability: NDArray[np.float64]) -> str:
    """Return a name for a set of loans with their PDs, whatever their order."""
    order = np.argsort(ids, kind="stable")
    digest = hashlib.sha256("\n".join(ids[order].tolist()).encode())
    digest.update(np.ascontiguousarray(probability[order], "<f8").tobytes())
    return digest.hexdigest()[:16]


def _table(made: KeptEstimate) -> pa.Table:
    rows = [asdict(getattr(made.estimate, measure)) | {"measure": measure} for measure in MEASURES]
    constant = {
        "period": made.period,
        "method": made.method,
        "made_at": made.made_at.astimezone(UTC).isoformat(),
        "outcomes_known": made.outcomes_known,
        "rows": made.estimate.rows,
        "cannot_see": list(made.estimate.cannot_see),
        "recalibration": None if made.recalibration is None else asdict(made.recalibration),
    }
    return pa.Table.from_pylist([row | constant for row in rows])


def _read(path: Path) -> KeptEstimate:
    try:
        rows = pq.read_table(path, partitioning=None).to_pylist()
        told = rows[0]
        measures = {row["measure"]: Estimate(row["value"], row["low"], row["high"]) for row in rows}
        estimate = LabelFree(told["rows"], **measures, cannot_see=tuple(told["cannot_see"]))
        made_at = datetime.fromisoformat(told["made_at"])
        way = _recalibration(told["recalibration"])
        return KeptEstimate(told["period"], told["method"], made_at, told["outcomes_known"], estimate, way)
    except (OSError, ValueError, LookupError, TypeError, pa.ArrowException) as error:
        raise ThinfileError(
            f"a kept estimate must be as it was written, '{path}' cannot be read ({error}); restore it from a copy"
        ) from error


def _recalibration(told: Mapping[str, Any] | None) -> Recalibration | None:
    if told is None:
        return None
    (first, both), (_, second) = told["covariance"]
    return Recalibration(told["intercept"], told["slope"], ((first, both), (both, second)), told["rows"])
