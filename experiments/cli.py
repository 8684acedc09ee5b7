"""The verbs of experiments: tune, compare, promote, replay."""

from omegaconf import DictConfig, OmegaConf

from experiments.compare.settings import CompareSettings
from experiments.experiment.labels import labelled
from experiments.experiment.settings import Search, TuneSettings
from experiments.promotion.settings import PromoteAction, PromoteSettings
from experiments.replay.settings import ReplaySettings
from pipelines.applications.settings import DataSettings
from pipelines.candidates.registry import candidate_settings
from pipelines.command.hydra_adapter import chosen_option, is_named, job_overrides
from pipelines.command.hydra_application import Verb
from pipelines.command.verb import Outcome, override
from pipelines.policy.pack import PolicySettings

POLICY: dict[str, dict[str, type]] = {"policy": {"policy": PolicySettings}}
DATA: dict[str, dict[str, type]] = {"data": {"data": DataSettings}}
EXPERIMENTS: dict[str, dict[str, type]] = {"experiment": {}}
"""Files that set several choices and values at once; the verb's schema is theirs."""

FIGURES_OF_TUNE = {"version": "version", "CV AUC": "cv_auc", "test AUC": "test.measures.auc.value", "cost": "cost"}
"""Columns of the table of a sweep."""


def tune() -> Verb[TuneSettings]:
    """Search a candidate's parameters and register the best model."""
    OmegaConf.register_new_resolver("each_group", _each_group, replace=True)
    groups = DATA | POLICY | EXPERIMENTS
    return Verb("tune", TuneSettings, _tune, groups, choices=candidate_settings, figures=FIGURES_OF_TUNE)


def compare() -> Verb[CompareSettings]:
    """Show the leaderboard, or one study."""
    return Verb("compare", CompareSettings, _compare, {}, ids=("study",))


def promote() -> Verb[PromoteSettings]:
    """Judge a challenger by the gates and promote or refuse it."""
    short, figures = {"anchor": "anchor.file"}, {"version": "version", "decision": "decision"}
    groups = DATA | POLICY
    return Verb(
        "promote", PromoteSettings, _promote, groups, PromoteAction, ids=("why",), short_keys=short, figures=figures
    )


def replay() -> Verb[ReplaySettings]:
    """Rebuild a run or a decision from its record and compare every number."""
    return Verb("replay", ReplaySettings, _replay, {}, ids=("run", "decision"))


def _each_group(data: DictConfig, *, _root_: DictConfig) -> str:
    """Return the values of a sweep that leaves out nothing, and then each group of features in turn.

    Where the command has values of its own, they replace these.
    """
    from experiments.experiment.leave_out import declared_groups

    if any(word.startswith("leave_out=") for word in _root_.hydra.overrides.task):
        return "[]"
    settings = OmegaConf.to_object(data)
    assert isinstance(settings, DataSettings)
    groups = (override("", group).removeprefix("=") for group in declared_groups(settings))
    return ",".join(["[]", *(f"[{group}]" for group in groups)])


def _tune(settings: TuneSettings) -> Outcome:
    settings = labelled(settings, chosen_option("experiment"), job_overrides())
    if settings.search is Search.fair:
        from experiments.fair_search.search_fair import search_fair

        return search_fair(settings)
    from experiments.search.tune import tune

    return tune(settings)


def _compare(settings: CompareSettings) -> Outcome:
    if settings.study is not None:
        from experiments.compare.study import compare_study

        return compare_study(settings)
    from experiments.compare.leaderboard import compare

    return compare(settings)


def _promote(settings: PromoteSettings) -> Outcome:
    action = settings.action
    if action is PromoteAction.history:
        from experiments.promotion.history import history

        return history(settings)
    if action is PromoteAction.rebuild:
        from experiments.promotion.rebuild import rebuild

        return rebuild(settings)
    if action is PromoteAction.verify:
        from experiments.promotion.verify import verify

        return verify(settings)
    from experiments.promotion import anchor

    if action is PromoteAction.checkpoint:
        return anchor.checkpoint(settings)
    return anchor.with_checkpoint(_decide(settings), settings)


def _decide(settings: PromoteSettings) -> Outcome:
    """Run an action of promote that writes to the ledger."""
    if settings.action is PromoteAction.signers:
        from experiments.promotion.record_signers import record_signers

        return record_signers(settings)
    from experiments.promotion import policies

    if settings.action is PromoteAction.policy:
        return policies.set_policy(settings)
    if settings.action is PromoteAction.exception:
        return policies.except_version(settings)
    from experiments.promotion import actions as deciding

    if settings.action is PromoteAction.rollback:
        return deciding.rollback(settings)
    if not is_named("policy", otherwise=settings.policy != PolicySettings()):
        settings = policies.with_policy_of_record(settings)
    if settings.action is PromoteAction.approve:
        return deciding.approve(settings)
    if settings.action is PromoteAction.apply:
        return deciding.apply(settings)
    from experiments.promotion import promote as promotion

    return promotion.request(settings) if settings.action is PromoteAction.request else promotion.promote(settings)


def _replay(settings: ReplaySettings) -> Outcome:
    from experiments.replay.replay import replay

    return replay(settings)
