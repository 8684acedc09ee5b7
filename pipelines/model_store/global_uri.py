"""MLflow's global address, for the few of its functions that take no other."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import mlflow

from pipelines.model_store.addresses import TRACKING


@contextmanager
def global_tracking_uri(uri: str) -> Iterator[None]:
    """Set the global address of runs until the block ends.

    MLflow writes it into the environment too, from which the next command of this process would take it; both are as
    before afterwards.
    """
    variable = os.environ.get(TRACKING)
    before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        # Without a global address MLflow reads the variable.
        mlflow.set_tracking_uri(None if before == variable else before)  # type: ignore[arg-type]
        if variable is None:
            os.environ.pop(TRACKING, None)
        else:
            os.environ[TRACKING] = variable
