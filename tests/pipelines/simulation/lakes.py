"""Simulated lakes for tests, and the labels in them by a way of their own: SQL, and none of the product's code."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from pipelines.simulation.settings import SimulateSettings
from pipelines.simulation.simulate import simulate

TABLES = ("customers", "orders", "applications", "instalments", "truth")
DEFINITIONS = {
    # name: days past due, months of window, whether only the first instalment counts
    "first_payment_default": (30, 3, True),
    "dpd30_at_3_mob": (30, 3, False),
    "dpd90_in_12_months": (90, 12, False),
}


@dataclass(frozen=True)
class Lake:
    """A simulated marketplace on disk."""

    folder: Path

    def ask(self, sql: str) -> Any:
        """Return the answer to a query over the five tables as a frame."""
        return self._db.execute(sql).df()

    def table(self, sql: str) -> Any:
        """Return the answer to a query as an Arrow table."""
        return self._db.execute(sql).to_arrow_table()

    @cached_property
    def _db(self) -> duckdb.DuckDBPyConnection:
        db = duckdb.connect()
        for name in TABLES:
            db.execute(f"create view {name} as select * from '{self.folder}/{name}/*.parquet'")
        return db

    def one(self, sql: str) -> Any:
        """Return the one value that a query answers."""
        return self.ask(sql).iloc[0, 0]

    def files(self) -> dict[str, str]:
        """Return a digest of the bytes of every table's parts, by their path."""
        parts = sorted(self.folder.rglob("*.parquet"))
        return {str(path.relative_to(self.folder)): sha256(path.read_bytes()).hexdigest() for path in parts}


def make_lake(workspace: Path, **settings: Any) -> Lake:
    """Simulate a small marketplace in this process."""
    chosen: dict[str, Any] = {"customers": 6_000, "customers_per_part": 3_000, "threads": 1} | settings
    outcome = simulate(SimulateSettings(workspace=str(workspace), **chosen))
    return Lake(Path(str(outcome.result["lake"])))


def labelled(lake: Lake, definition: str, as_of: str) -> Any:
    """Return true PD and outcome of every mature loan: application_id, pd, bad."""
    days, months, first_only = DEFINITIONS[definition]
    only = "number = 1" if first_only else "true"
    written_off = "false" if first_only else f"a.written_off_at <= a.disbursed_at + interval {months} month"
    return lake.ask(f"""
        with reached as (
            select application_id, min(due_at) as first_due,
                min(due_at + interval {days} day) filter ({only} and not (
                    paid_amount >= due_amount and coalesce(paid_at <= due_at + interval {days} day, false))) as at
            from instalments group by 1)
        select a.application_id, t.true_pd_{definition} as pd,
            coalesce(r.at <= a.disbursed_at + interval {months} month, false) or coalesce({written_off}, false) as bad
        from applications a join truth t using (application_id) join reached r using (application_id)
        where a.decision = 'approved' and a.disbursed_at + interval {months} month <= timestamp '{as_of}'
            and not coalesce(a.fraud_confirmed_at <= timestamp '{as_of}', false)
            and not coalesce(a.refunded_at < r.first_due and a.refunded_at <= timestamp '{as_of}', false)
    """)


def decile_misses(pd: NDArray[np.float64], bad: NDArray[np.bool_], simultaneous: float = 0.001) -> list[str]:
    """Return the deciles of true PD whose number of bad loans lies outside of its interval, told.

    Given their true PDs the loans are independent, so the number is Poisson-binomial. Its exact distribution gives
    each decile an interval; the ten hold together by Bonferroni.
    """
    misses = []
    for number, rows in enumerate(np.array_split(np.argsort(pd, kind="stable"), 10), start=1):
        upto = np.cumsum(poisson_binomial(pd[rows]))
        found, tail = int(bad[rows].sum()), simultaneous / 10 / 2
        # Outside: as few or as many as that is rarer than the tail.
        if upto[found] < tail or (found > 0 and 1 - upto[found - 1] < tail):
            misses.append(f"decile {number}: {found} bad of {len(rows)}, expected {pd[rows].sum():.1f}")
    return misses


def poisson_binomial(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distribution of the number of events with these chances, shape (n + 1,).

    Distributions of halves are convolved, level by level; events without a chance fill up to a power of two.
    """
    filled = np.zeros(1 << max(len(chances) - 1, 0).bit_length())
    filled[: len(chances)] = chances
    parts = np.stack([1 - filled, filled], axis=1)
    while len(parts) > 1:
        spectrum = np.fft.rfft(parts, 2 * parts.shape[1], axis=1)
        parts = np.fft.irfft(spectrum[::2] * spectrum[1::2], 2 * parts.shape[1], axis=1)[:, :-1]
    return np.clip(parts[0, : len(chances) + 1], 0.0, None)
