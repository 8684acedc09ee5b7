"""The verbs of experiments: tune, compare, promote, replay."""

from collections.abc import Sequence

from experiments.compare.settings import CompareSettings
from experiments.experiment.settings import Search, TuneSettings
from experiments.promotion.settings import PromoteAction, PromoteSettings
from experiments.replay.settings import ReplaySettings
from pipelines.applications.settings import DataSettings
from pipelines.candidates.registry import candidate_settings
from pipelines.command.hydra_application import Verb, run
from pipelines.command.verb import Outcome, quote_ids
from pipelines.policy.pack import PolicySettings

POLICY: dict[str, dict[str, type]] = {"policy": {"policy": PolicySettings}}
DATA: dict[str, dict[str, type]] = {"data": {"data": DataSettings}}
EXPERIMENTS: dict[str, dict[str, type]] = {"experiment": {}}
"""Files that set several choices and values at once; the verb's schema is theirs."""


def tune(arguments: Sequence[str]) -> int:
    """Search a candidate's parameters and register the best model."""
    return run(Verb("tune", TuneSettings, _tune, DATA | POLICY | EXPERIMENTS, choices=candidate_settings), arguments)


def compare(arguments: Sequence[str]) -> int:
    """Show the leaderboard."""
    return run(Verb("compare", CompareSettings, _compare, {}), arguments)


def promote(arguments: Sequence[str]) -> int:
    """Judge a challenger by the gates and promote or refuse it."""
    return run(Verb("promote", PromoteSettings, _promote, DATA | POLICY, PromoteAction), arguments)


def replay(arguments: Sequence[str]) -> int:
    """Rebuild a run or a decision from its record and compare every number."""
    return run(Verb("replay", ReplaySettings, _replay, {}), quote_ids(arguments, "run", "decision"))


def _tune(settings: TuneSettings) -> Outcome:
    if settings.search is Search.fair:
        from experiments.fair_search.search_fair import search_fair

        return search_fair(settings)
    from experiments.search.tune import tune

    return tune(settings)


def _compare(settings: CompareSettings) -> Outcome:
    from experiments.compare.leaderboard import compare

    return compare(settings)


def _promote(settings: PromoteSettings) -> Outcome:
    if settings.action in (PromoteAction.history, PromoteAction.verify):
        from experiments.promotion import history

        return history.verify(settings) if settings.action is PromoteAction.verify else history.history(settings)
    if settings.action in (PromoteAction.approve, PromoteAction.apply, PromoteAction.rollback):
        from experiments.promotion import actions as deciding

        tasks = {PromoteAction.approve: deciding.approve, PromoteAction.apply: deciding.apply}
        return tasks.get(settings.action, deciding.rollback)(settings)
    from experiments.promotion import promote as promotion

    return promotion.request(settings) if settings.action is PromoteAction.request else promotion.promote(settings)


def _replay(settings: ReplaySettings) -> Outcome:
    from experiments.replay.replay import replay

    return replay(settings)
