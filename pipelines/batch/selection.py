"""Which rows of a part are scored: sound ones of the period that are neither logged nor repeated."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.batch.digests import digests_of, numbers_of_digests
from pipelines.batch.rows import Rows
from pipelines.score_log.key import LogKey


@dataclass(frozen=True)
class Elsewhere:
    """Numbers of decisions, sorted, that another part of the input holds, and that an earlier batch has logged."""

    repeated: NDArray[np.uint64]
    logged: NDArray[np.uint64]


@dataclass(frozen=True)
class Decided:
    """What is decided already, in sorted numbers of decisions.

    `logged` is a file of the decisions of earlier batches; `other_versions` is one of the applications that another
    version decided, with the numbers of decisions by this one.
    """

    logged: Path | None
    other_versions: Path | None
    elsewhere: Elsewhere | None


@dataclass(frozen=True)
class Selection:
    """The rows of a part that are to be scored, with the numbers of their decisions, and counts of the others."""

    rows: NDArray[np.intp]
    digests: NDArray[np.uint8]
    numbers: NDArray[np.uint64]
    ordered: NDArray[np.uint64]
    broken: Mapping[str, NDArray[np.intp]]
    other_periods: int
    already_logged: int
    other_versions: int
    erased: int


def select(
    key: LogKey,
    model_hash: str,
    id_column: str,
    rows: Rows,
    erased: NDArray[np.bool_] | None,
    before: Decided,
) -> Selection:
    """Return the rows that are sound, of the period, not of erased people, not decided before and not repeated."""
    sound, now = rows.sound, None if rows.months is None else rows.months == np.datetime64(key.period, "M")
    kept = np.ones(len(rows.table), dtype=bool) if sound is None else sound
    broken = dict(rows.broken)
    if erased is not None:
        kept = kept & ~erased
        broken = {rule: some[~erased[some]] for rule, some in broken.items() if not erased[some].all()}
    ours = kept if now is None else kept & now
    chosen = np.flatnonzero(ours)
    ids = rows.ids if len(chosen) == len(ours) else rows.ids.take(chosen)
    digests = digests_of(key, model_hash, ids)
    numbers = numbers_of_digests(digests)
    ordered = np.sort(numbers)
    is_repeating = bool((ordered[1:] == ordered[:-1]).any())
    repeated = np.asarray(ids.to_pandas().duplicated()) if is_repeating else np.zeros(len(chosen), dtype=bool)
    logged = np.zeros(len(chosen), dtype=bool)
    if before.logged is not None:
        logged |= _isin(numbers, np.memmap(before.logged, np.uint64, "r"))
    decided = np.zeros(len(chosen), dtype=bool)
    if before.other_versions is not None:
        decided = _isin(numbers, np.memmap(before.other_versions, np.uint64, "r")) & ~logged
    if before.elsewhere is not None:
        logged |= _isin(numbers, before.elsewhere.logged)
        repeated = repeated | _isin(numbers, before.elsewhere.repeated)
    repeated = repeated & ~logged & ~decided
    if repeated.any():
        broken[f"'{id_column}' repeats"] = chosen[repeated]
    rest = ~(logged | decided | repeated)
    if not rest.all():
        chosen, digests, numbers = chosen[rest], digests[rest], numbers[rest]
        ordered = np.sort(numbers)
    return Selection(
        rows=chosen,
        digests=digests,
        numbers=numbers,
        ordered=ordered,
        broken=broken,
        other_periods=int(kept.sum() - ours.sum()),
        already_logged=int(logged.sum()),
        other_versions=int(decided.sum()),
        erased=0 if erased is None else int(erased.sum()),
    )


def _isin(numbers: NDArray[np.uint64], ordered: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return which numbers are among known ones, which are sorted."""
    if not len(ordered):
        return np.zeros(len(numbers), dtype=bool)
    order = np.argsort(numbers)  # one way through what may be a large file
    places = np.minimum(np.searchsorted(ordered, numbers[order]), len(ordered) - 1)
    is_in = np.empty(len(numbers), dtype=bool)
    is_in[order] = ordered[places] == numbers[order]
    return is_in
