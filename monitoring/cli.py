"""The verb of monitoring: watch."""

from collections.abc import Sequence

from monitoring.settings import WatchSettings
from pipelines.hydra_app import Verb, run
from pipelines.verb import Outcome


def watch(arguments: Sequence[str]) -> int:
    """Write the drift report of a period."""
    return run(Verb("watch", WatchSettings, _watch, {}), arguments)


def _watch(settings: WatchSettings) -> Outcome:
    from monitoring.watching import watch

    return watch(settings)
