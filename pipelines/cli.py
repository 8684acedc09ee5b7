"""The verbs of pipelines: simulate, prepare, score, serve, review, erase, demo."""

from dataclasses import replace
from typing import TYPE_CHECKING

from omegaconf import MISSING, OmegaConf

from pipelines.applications.settings import DataSettings
from pipelines.batch.settings import ScoreSettings
from pipelines.command.hydra_adapter import is_named
from pipelines.command.hydra_application import Verb
from pipelines.command.verb import Outcome
from pipelines.credit.population import Population
from pipelines.demo.settings import DemoSettings
from pipelines.erasure.settings import EraseAction, EraseSettings
from pipelines.policy.pack import PolicySettings
from pipelines.reviews.settings import ReviewAction, ReviewVerbSettings

if TYPE_CHECKING:
    from pipelines.marketplace.settings import PrepareSettings, TableMapping
    from pipelines.serving.settings import ServeSettings
    from pipelines.simulation.settings import SimulateSettings


def simulate() -> "Verb[SimulateSettings]":
    """Write a simulated marketplace into the lake."""
    from pipelines.simulation.settings import SimulateSettings

    return Verb("simulate", SimulateSettings, _simulate, {})


def prepare() -> "Verb[PrepareSettings]":
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
    return Verb("prepare", PrepareSettings, _prepare, groups)


def score() -> Verb[ScoreSettings]:
    """Let the champion score a table of applications."""
    groups: dict[str, dict[str, type]] = {"data": {"data": DataSettings}, "policy": {"policy": PolicySettings}}
    return Verb("score", ScoreSettings, _score, groups, figures={"version": "version", "scored": "scored"})


def serve() -> "Verb[ServeSettings]":
    """Serve decisions over HTTP, or make, list and revoke API keys."""
    from pipelines.serving.settings import ServeAction, ServeSettings

    return Verb("serve", ServeSettings, _serve, {"policy": {"policy": PolicySettings}}, ServeAction)


def review() -> Verb[ReviewVerbSettings]:
    """Request a review of a decision, decide it, or list what reviewers decided."""
    return Verb("review", ReviewVerbSettings, _review, {}, ReviewAction, ids=("decision", "why"))


def erase() -> Verb[EraseSettings]:
    """Remove a person from the workspace."""
    return Verb("erase", EraseSettings, _erase, {}, EraseAction, ids=("customer", "applications", "why"))


def demo() -> Verb[DemoSettings]:
    """Run the whole loop on real or on simulated data."""
    return Verb("demo", DemoSettings, _demo, {"data": {"data": DataSettings}})


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

    return score(_under_policy_of_champion(settings))


def _serve(settings: "ServeSettings") -> Outcome:
    from pipelines.serving.settings import ServeAction

    if settings.action is None:
        from pipelines.serving.service import serve

        return serve(settings, follows_policy=not is_named("policy", otherwise=settings.policy != PolicySettings()))
    from pipelines.serving.keys import list_keys, make_key, revoke_key

    tasks = {ServeAction.key: make_key, ServeAction.keys: list_keys, ServeAction.revoke: revoke_key}
    return tasks[settings.action](settings)


def _under_policy_of_champion(settings: ScoreSettings) -> ScoreSettings:
    """Return settings with the policy under which the champion was promoted in place of one that was not named."""
    if is_named("policy", otherwise=settings.policy != PolicySettings()):
        return settings
    from pipelines.ledger.policy import policy_of_champion
    from pipelines.storage.workspace import Workspace

    workspace = Workspace.at(settings.workspace)
    policy = policy_of_champion(workspace, settings.model) if workspace.chain.exists() or workspace.database else None
    return settings if policy is None else replace(settings, policy=policy)


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
