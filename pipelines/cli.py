"""The verbs of pipelines: simulate, prepare, score, serve, review, erase, demo."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from omegaconf import MISSING, OmegaConf

from pipelines.applications.settings import DataSettings
from pipelines.batch.settings import ScoreSettings
from pipelines.command.hydra_application import Verb, run
from pipelines.command.verb import Outcome, quote_ids
from pipelines.credit.population import Population
from pipelines.demo.settings import DemoSettings
from pipelines.erasure.settings import EraseAction, EraseSettings
from pipelines.policy.pack import PolicySettings
from pipelines.reviews.settings import ReviewAction, ReviewVerbSettings

if TYPE_CHECKING:
    from pipelines.marketplace.settings import PrepareSettings, TableMapping
    from pipelines.serving.settings import ServeSettings
    from pipelines.simulation.settings import SimulateSettings


def simulate(arguments: Sequence[str]) -> int:
    """Write a simulated marketplace into the lake."""
    from pipelines.simulation.settings import SimulateSettings

    return run(Verb("simulate", SimulateSettings, _simulate, {}), arguments)


def prepare(arguments: Sequence[str]) -> int:
    """Make a training table of a marketplace's raw tables."""
    from pipelines.credit.loan import LoanContract
    from pipelines.features.settings import FeatureSettings
    from pipelines.marketplace.settings import PrepareSettings, RawSettings

    OmegaConf.register_new_resolver("as_of", _as_of, replace=True)
    groups: dict[str, dict[str, type]] = {
        "raw": {"raw": RawSettings},
        "loan": {"loan": LoanContract},
        "features": {"features": FeatureSettings},
    }
    return run(Verb("prepare", PrepareSettings, _prepare, groups), arguments)


def score(arguments: Sequence[str]) -> int:
    """Let the champion score a table of applications."""
    groups: dict[str, dict[str, type]] = {"data": {"data": DataSettings}, "policy": {"policy": PolicySettings}}
    return run(Verb("score", ScoreSettings, _score, groups), arguments)


def serve(arguments: Sequence[str]) -> int:
    """Serve decisions over HTTP, or make, list and revoke API keys."""
    from pipelines.serving.settings import ServeAction, ServeSettings

    return run(Verb("serve", ServeSettings, _serve, {"policy": {"policy": PolicySettings}}, ServeAction), arguments)


def review(arguments: Sequence[str]) -> int:
    """Request a review of a decision, decide it, or list what reviewers decided."""
    words = quote_ids(arguments, "decision", "why")
    return run(Verb("review", ReviewVerbSettings, _review, {}, ReviewAction), words)


def erase(arguments: Sequence[str]) -> int:
    """Remove a person from the workspace."""
    return run(
        Verb("erase", EraseSettings, _erase, {}, EraseAction), quote_ids(arguments, "customer", "applications", "why")
    )


def demo(arguments: Sequence[str]) -> int:
    """Run the whole loop on real or on simulated data."""
    return run(Verb("demo", DemoSettings, _demo, {"data": {"data": DataSettings}}), arguments)


def _simulate(settings: "SimulateSettings") -> Outcome:
    from pipelines.simulation.simulate import simulate

    return simulate(settings)


def _as_of(population: Population, observed_at: str | None, check: bool, own: "TableMapping") -> str:
    """Return the default of loan.as_of: without outcomes no date is needed for them."""
    has_none = population is Population.book or check or own.path is not None or own.sql is not None
    return (observed_at or "") if has_none else MISSING


def _prepare(settings: "PrepareSettings") -> Outcome:
    from pipelines.book.prepare import prepare

    return prepare(settings)


def _score(settings: ScoreSettings) -> Outcome:
    from pipelines.batch.score import score

    return score(settings)


def _serve(settings: "ServeSettings") -> Outcome:
    from pipelines.serving.settings import ServeAction

    if settings.action is None:
        from pipelines.serving.service import serve

        return serve(settings)
    from pipelines.serving.keys import list_keys, make_key, revoke_key

    tasks = {ServeAction.key: make_key, ServeAction.keys: list_keys, ServeAction.revoke: revoke_key}
    return tasks[settings.action](settings)


def _review(settings: ReviewVerbSettings) -> Outcome:
    from pipelines.reviews.review import review

    return review(settings)


def _erase(settings: EraseSettings) -> Outcome:
    if settings.action is EraseAction.erase:
        from pipelines.erasure.erase import erase

        return erase(settings)
    from pipelines.erasure import verify

    return verify.verify(settings) if settings.action is EraseAction.verify else verify.history(settings)


def _demo(settings: DemoSettings) -> Outcome:
    from pipelines.demo.loop import demo

    return demo(settings)
