"""MLflow's own global address, for what a test does with MLflow alone; Thinfile itself leaves it alone."""

from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.model_store.global_uri import global_tracking_uri
from pipelines.model_store.run_store import RunStore


@contextmanager
def mlflow_at(store: RunStore) -> Iterator[None]:
    """Let MLflow's functions work on a store until the block ends."""
    with global_tracking_uri(store.url):
        yield
