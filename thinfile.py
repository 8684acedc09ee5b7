"""Thinfile from outside: the command, and its verbs as functions for notebooks and programs.

>>> from thinfile import tune, watch
>>> result = tune("data=german_credit", "candidate=scorecard", trials=5)      # doctest: +SKIP
>>> result.version, result.test_auc      # doctest: +SKIP
(1, 0.78)

The packages lie beside this module in a clone. A wheel has this module as `thinfile/__init__.py`, and the packages in a
folder of its own, so that they are found by whoever uses Thinfile and are in nobody else's way.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from experiments.compare.settings import CompareSettings
    from experiments.compare.typed_result import CompareResult
    from experiments.experiment.settings import TuneSettings
    from experiments.promotion.settings import PromoteSettings
    from experiments.promotion.typed_result import PromoteResult
    from experiments.search.typed_result import TuneResult
    from monitoring.watch.settings import WatchSettings
    from monitoring.watch.typed_result import WatchResult
    from pipelines.batch.settings import ScoreSettings
    from pipelines.batch.typed_result import ScoreResult
    from pipelines.book.typed_result import PrepareResult
    from pipelines.command.result import Result
    from pipelines.errors import RequestError, ThinfileError
    from pipelines.marketplace.settings import PrepareSettings
    from pipelines.simulation.settings import SimulateSettings
    from pipelines.simulation.typed_result import SimulateResult

__all__ = [
    "CompareResult",
    "CompareSettings",
    "PrepareResult",
    "PrepareSettings",
    "PromoteResult",
    "PromoteSettings",
    "RequestError",
    "Result",
    "ScoreResult",
    "ScoreSettings",
    "SimulateResult",
    "SimulateSettings",
    "ThinfileError",
    "TuneResult",
    "TuneSettings",
    "WatchResult",
    "WatchSettings",
    "compare",
    "main",
    "prepare",
    "promote",
    "score",
    "simulate",
    "tune",
    "watch",
]

PACKAGES = ("pipelines", "experiments", "monitoring")

HERE = Path(__file__).absolute().parent
ROOT = next(folder for folder in (HERE / "_packages", HERE) if (folder / PACKAGES[0]).is_dir())
"""The folder of the packages and of `conf`."""

INSIDE = {
    "CompareResult": "experiments.compare.typed_result",
    "CompareSettings": "experiments.compare.settings",
    "PrepareResult": "pipelines.book.typed_result",
    "PrepareSettings": "pipelines.marketplace.settings",
    "PromoteResult": "experiments.promotion.typed_result",
    "PromoteSettings": "experiments.promotion.settings",
    "RequestError": "pipelines.errors",
    "Result": "pipelines.command.result",
    "ScoreResult": "pipelines.batch.typed_result",
    "ScoreSettings": "pipelines.batch.settings",
    "SimulateResult": "pipelines.simulation.typed_result",
    "SimulateSettings": "pipelines.simulation.settings",
    "ThinfileError": "pipelines.errors",
    "TuneResult": "experiments.search.typed_result",
    "TuneSettings": "experiments.experiment.settings",
    "WatchResult": "monitoring.watch.typed_result",
    "WatchSettings": "monitoring.watch.settings",
}
"""Classes of the packages that this module offers, imported when they are used."""


def simulate(*request: "str | SimulateSettings", **values: object) -> "SimulateResult":
    """Simulate a marketplace whose true probabilities of default are known; see `tune` for the arguments."""
    result: SimulateResult = _answer("simulate", request, values)
    return result


def prepare(*request: "str | PrepareSettings", **values: object) -> "PrepareResult":
    """Make a training table of raw tables, point in time and of mature labels only; see `tune` for the arguments."""
    result: PrepareResult = _answer("prepare", request, values)
    return result


def tune(*request: "str | TuneSettings", **values: object) -> "TuneResult":
    """Search a candidate's parameters and register the best model.

    Like every function here it takes overrides as a command line has them, and settings by name; or one object of the
    verb's settings.

    Raises:
        RequestError: the request was wrong; nothing was written.
        ThinfileError: something failed.
    """
    result: TuneResult = _answer("tune", request, values)
    return result


def compare(*request: "str | CompareSettings", **values: object) -> "CompareResult":
    """List the versions and studies of a model, or show one study; see `tune` for the arguments."""
    result: CompareResult = _answer("compare", request, values)
    return result


def promote(*request: "str | PromoteSettings", **values: object) -> "PromoteResult":
    """Judge a challenger by the gates and promote it, recorded in the ledger; see `tune` for the arguments."""
    result: PromoteResult = _answer("promote", request, values)
    return result


def score(*request: "str | ScoreSettings", **values: object) -> "ScoreResult":
    """Score a table of applications, or the book, for a month; see `tune` for the arguments."""
    result: ScoreResult = _answer("score", request, values)
    return result


def watch(*request: "str | WatchSettings", **values: object) -> "WatchResult":
    """Write the drift report of a month and act on it; see `tune` for the arguments."""
    result: WatchResult = _answer("watch", request, values)
    return result


def main(arguments: list[str] | None = None) -> int:
    """Run the verb that the arguments name and return its exit code (0 done, 1 failed, 2 wrong request, 3 no)."""
    try:
        use_own_packages()
    except ImportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    from pipelines.command.front_door import run_command

    return run_command(arguments)


def use_own_packages() -> None:
    """Put the folder of Thinfile's packages first on sys.path: packages of the same names elsewhere change nothing.

    Raises:
        ImportError: this process has already imported another package of such a name.
    """
    for name in PACKAGES:
        if name in sys.modules and not _is_own(sys.modules[name]):
            raise ImportError(
                f"this process has imported another package named '{name}' ({_place(sys.modules[name])}), and Thinfile "
                "has one of that name; use Thinfile in another process, for example by the command `thinfile`"
            )
    sys.path[:] = [str(ROOT), *(path for path in sys.path if path != str(ROOT))]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in INSIDE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        use_own_packages()
        return getattr(import_module(INSIDE[name]), name)


def _answer(verb: str, request: Sequence[object], values: Mapping[str, object]) -> Any:
    """Return the answer of a verb as an object of its class, such as `TuneResult`."""
    use_own_packages()
    from pipelines.command.python_api import outcome_of
    from pipelines.command.verb import as_json, summary_text

    outcome = outcome_of(verb, request, values)
    result = f"{verb.capitalize()}Result"
    kind = getattr(import_module(INSIDE[result]), result)
    return kind(as_json(outcome), summary_text(outcome), int(outcome.exit_code))


def _is_own(module: ModuleType) -> bool:
    return any(Path(path).resolve().parent == ROOT.resolve() for path in getattr(module, "__path__", ()))


def _place(module: ModuleType) -> str:
    folders = list(getattr(module, "__path__", ()))
    return folders[0] if folders else str(module.__file__)


if __name__ == "__main__":
    sys.exit(main())
