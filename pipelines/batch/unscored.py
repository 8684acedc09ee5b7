"""Which applications of a table are yet to be scored for a period: its own, all who asked, each once."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.applications.applications import Applications
from pipelines.applications.settings import DataSettings, Source
from pipelines.errors import DataError
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import ScoreLog


def all_who_asked(data: DataSettings) -> str | None:
    """Return where the applications lie: beside the training table of a marketplace, which holds mature ones only."""
    from pipelines.marketplace.training_table import APPLICATIONS, TRAINING

    is_training = data.source is Source.marketplace and data.path is not None and Path(data.path).name == TRAINING
    return str(Path(data.path).with_name(APPLICATIONS)) if data.path and is_training else data.path


def of_period(applications: Applications, period: str) -> Applications:
    """Return the applications made in a month (UTC), where their times are told. Raises DataError when none was."""
    if applications.times is None:
        return applications
    months = applications.times.astype("datetime64[M]")
    is_then = months == np.datetime64(period, "M")
    if not is_then.any():
        raise DataError(
            f"a period's decisions are about its own applications, none was made in {period} "
            f"({months.min()} to {months.max()}); correct period or data.time"
        )
    return applications.take(np.flatnonzero(is_then))


def not_logged(applications: Applications, log: ScoreLog, key: LogKey) -> Applications:
    """Return the applications that the log does not hold.

    Raises:
        DataError: the table is logged under other ids, or has none and some of its rows look like logged ones.
    """
    logged = log.decisions(key)
    is_known = np.isin(applications.ids, logged["application_id"].to_numpy(dtype=str))
    if not is_known.any() and (logged["input_fingerprint"] == applications.fingerprint).any():
        raise DataError(
            "an application is logged once, this very table is logged for the period under other ids; name the "
            "data.id that it was scored with"
        )
    new = applications.take(np.flatnonzero(~is_known))
    if applications.roles.id is None:
        others = logged.loc[logged["input_fingerprint"] != applications.fingerprint, "decision_id"]
        features = log.features(key)
        _check_unlike(new.features, features[features["decision_id"].isin(others)])
    return new


def _check_unlike(new: pd.DataFrame, logged: pd.DataFrame) -> None:
    """Raise DataError where rows without ids look like rows of another table: nobody can say whether they are these."""
    if new.empty or logged.empty:
        return
    found, known = (pd.util.hash_pandas_object(one[list(new)], index=False) for one in (new, logged))
    if found.isin(known).any():
        raise DataError(
            f"an application is logged once, {int(found.isin(known).sum()):,} of these rows without an id look like "
            "rows that are logged for the period; name the data.id that tells them apart"
        )
