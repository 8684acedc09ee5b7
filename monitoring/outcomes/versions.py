"""The decisions of all versions of a model: outcomes belong to loans, whichever version decided them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from monitoring.outcomes.stored_estimates import estimates_folder
from pipelines.score_log.columns import SHADOW
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import ScoreLog
from pipelines.storage.workspace import Workspace


def keys_by_period(log: ScoreLog, key: LogKey, most: int) -> dict[str, list[LogKey]]:
    """Return by period, up to that of a key, the keys of the versions that decided it: at most so many periods.

    Shadow scores decided nothing: their periods are those of the version alone.
    """
    if key.role == SHADOW:
        own = [replace(key, period=period) for period in log.periods(key) if period <= key.period]
        return {one.period: [one] for one in own[-most:]}
    decided: dict[str, list[LogKey]] = {}
    for one in log.logged_keys():
        if (one.model, one.population) == (key.model, key.population) and one.period <= key.period:
            decided.setdefault(one.period, []).append(one)
    return {period: sorted(decided[period], key=lambda one: one.version) for period in sorted(decided)[-most:]}


def other_folders(workspace: Workspace, key: LogKey, keys: Mapping[str, Sequence[LogKey]]) -> dict[str, Path]:
    """Return the folder of the estimates of each period that another version than the key's decided alone."""
    alone = {period: ones[0] for period, ones in keys.items() if len(ones) == 1 and ones[0].version != key.version}
    return {period: estimates_folder(workspace, one) for period, one in alone.items()}
