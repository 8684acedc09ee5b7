"""All verbs: the function that makes each, and what it does."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pipelines.command.hydra_application import Verb


class VerbEntry(NamedTuple):
    """`function` makes the verb; it and `settings` are written module:name and imported when they are used.

    `meaning` is for the help.
    """

    function: str
    settings: str
    meaning: str


VERBS = {
    "simulate": VerbEntry(
        "pipelines.cli:simulate",
        "pipelines.simulation.settings:SimulateSettings",
        "simulate a marketplace whose true probabilities of default are known",
    ),
    "prepare": VerbEntry(
        "pipelines.cli:prepare",
        "pipelines.marketplace.settings:PrepareSettings",
        "make a training table of raw tables: point in time, mature labels only",
    ),
    "tune": VerbEntry(
        "experiments.cli:tune",
        "experiments.experiment.settings:TuneSettings",
        "search a candidate's parameters and register the best model as challenger",
    ),
    "compare": VerbEntry(
        "experiments.cli:compare",
        "experiments.compare.settings:CompareSettings",
        "list all registered versions, best first, champion marked",
    ),
    "promote": VerbEntry(
        "experiments.cli:promote",
        "experiments.promotion.settings:PromoteSettings",
        "judge a challenger by the gates and promote it, recorded in the ledger",
    ),
    "score": VerbEntry(
        "pipelines.cli:score",
        "pipelines.batch.settings:ScoreSettings",
        "score a table of applications, or the book, for a month",
    ),
    "serve": VerbEntry(
        "pipelines.cli:serve",
        "pipelines.serving.settings:ServeSettings",
        "serve decisions over HTTP by the champion, with reasons and offers",
    ),
    "review": VerbEntry(
        "pipelines.cli:review",
        "pipelines.reviews.settings:ReviewVerbSettings",
        "let people uphold or overturn a decision, with who and why",
    ),
    "erase": VerbEntry(
        "pipelines.cli:erase",
        "pipelines.erasure.settings:EraseSettings",
        "remove a person from data, features and decisions",
    ),
    "watch": VerbEntry(
        "monitoring.cli:watch",
        "monitoring.watch.settings:WatchSettings",
        "write the drift report of a month; exit code 3 when it raises an alarm",
    ),
    "ui": VerbEntry(
        "monitoring.cli:ui",
        "pipelines.command.verb:VerbSettings",
        "write the index of all reports and print how to open MLflow and Evidently",
    ),
    "replay": VerbEntry(
        "experiments.cli:replay",
        "experiments.replay.settings:ReplaySettings",
        "compute a run or a decision again; exit code 3 when a value differs",
    ),
    "demo": VerbEntry(
        "pipelines.cli:demo",
        "pipelines.demo.settings:DemoSettings",
        "run the whole loop on German credit data, or simulated with data=marketplace",
    ),
}


def schema_of(verb: str) -> type:
    """Return the settings class of a verb."""
    schema: type = _imported(VERBS[verb].settings)
    return schema


def verb_named(verb: str) -> "Verb[Any]":
    """Return a verb."""
    made: Verb[Any] = _imported(VERBS[verb].function)()
    return made


def _imported(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)
