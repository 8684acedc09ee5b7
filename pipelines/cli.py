"""The verbs of pipelines: score, demo."""

from collections.abc import Sequence

from pipelines.hydra_app import Verb, run
from pipelines.settings import DataSettings, DemoSettings, ScoreSettings
from pipelines.verb import Outcome


def score(arguments: Sequence[str]) -> int:
    """Let the champion score a table of applications."""
    return run(Verb("score", ScoreSettings, _score, {"data": {"data": DataSettings}}), arguments)


def demo(arguments: Sequence[str]) -> int:
    """Run the whole loop on real data."""
    return run(Verb("demo", DemoSettings, _demo, {}), arguments)


def _score(settings: ScoreSettings) -> Outcome:
    from pipelines.scoring import score

    return score(settings)


def _demo(settings: DemoSettings) -> Outcome:
    from pipelines.demo import demo

    return demo(settings)
