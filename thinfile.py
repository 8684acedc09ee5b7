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
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from experiments.compare.settings import CompareSettings
    from experiments.experiment.settings import TuneSettings
    from experiments.promotion.settings import PromoteSettings
    from monitoring.watch.settings import WatchSettings
    from pipelines.batch.settings import ScoreSettings
    from pipelines.errors import RequestError, ThinfileError

__all__ = [
    "CompareResult",
    "CompareSettings",
    "PromoteResult",
    "PromoteSettings",
    "RequestError",
    "ScoreResult",
    "ScoreSettings",
    "ThinfileError",
    "TuneResult",
    "TuneSettings",
    "WatchResult",
    "WatchSettings",
    "compare",
    "main",
    "promote",
    "score",
    "tune",
    "watch",
]

PACKAGES = ("pipelines", "experiments", "monitoring")

HERE = Path(__file__).absolute().parent
ROOT = next(folder for folder in (HERE / "_packages", HERE) if (folder / PACKAGES[0]).is_dir())
"""The folder of the packages and of `conf`."""

INSIDE = {
    "CompareSettings": "experiments.compare.settings",
    "PromoteSettings": "experiments.promotion.settings",
    "RequestError": "pipelines.errors",
    "ScoreSettings": "pipelines.batch.settings",
    "ThinfileError": "pipelines.errors",
    "TuneSettings": "experiments.experiment.settings",
    "WatchSettings": "monitoring.watch.settings",
}
"""Classes of the packages that this module offers, imported when they are used."""


@dataclass(frozen=True, repr=False)
class Result:
    """What a verb answers.

    `answer` has all that `output=json` prints, and `summary` is the text of a terminal. `exit_code` is 0, or 3 where
    the answer is no or cannot be given: a gate refused, an alarm was raised, nothing could be compared.
    """

    answer: Mapping[str, Any]
    summary: str
    exit_code: int

    def __repr__(self) -> str:
        return self.summary.rstrip("\n")


class TuneResult(Result):
    """What `tune` answers."""

    @property
    def model(self) -> str:
        """The name in the registry."""
        return str(self.answer["model"])

    @property
    def version(self) -> int | None:
        """The version that was registered, of a fair search the recommended one; None where none was."""
        return _number(self.answer.get("version", self.answer.get("recommended")))

    @property
    def study(self) -> str:
        """The name of the study."""
        return str(self.answer["study"])

    @property
    def run_id(self) -> str:
        """The study's run in MLflow."""
        return str(self.answer["run_id"])

    @property
    def test_auc(self) -> float | None:
        """The AUC of the version on the test part; None of a fair search, and where nothing was registered."""
        measures = self.answer.get("test", {}).get("measures", {})
        return float(measures["auc"]["value"]) if measures else None


class CompareResult(Result):
    """What `compare` answers."""

    @property
    def champion(self) -> int | None:
        """The version of the champion."""
        return _number(self.answer.get("champion"))

    @property
    def versions(self) -> Sequence[Mapping[str, Any]]:
        """The versions of the model, best first; none with `study=`."""
        return list(self.answer.get("versions", []))

    @property
    def studies(self) -> Sequence[Mapping[str, Any]]:
        """The studies of the model; none with `study=`."""
        return list(self.answer.get("studies", []))


class PromoteResult(Result):
    """What `promote` answers."""

    @property
    def decision(self) -> str | None:
        """The decision, such as promoted, requested or refused; None of actions that decide nothing."""
        decision = self.answer.get("decision")
        return None if decision is None else str(decision)

    @property
    def version(self) -> int | None:
        """The version that was judged."""
        return _number(self.answer.get("version"))


class ScoreResult(Result):
    """What `score` answers."""

    @property
    def version(self) -> int:
        """The version that scored."""
        return int(self.answer["version"])

    @property
    def scored(self) -> int:
        """How many rows were scored now; those that were logged already are not among them."""
        return int(self.answer["scored"])

    @property
    def decisions(self) -> Mapping[str, int]:
        """How many of them were approved, declined and referred."""
        return {name: int(self.answer[name]) for name in ("approved", "declined", "referred")}

    @property
    def score_log(self) -> Path:
        """The folder of the score log."""
        return Path(self.answer["score_log"])


class WatchResult(Result):
    """What `watch` answers; of its other actions than the report, only `answer` has something."""

    @property
    def verdict(self) -> str | None:
        """The verdict: stable, watch, act, incomplete or inconclusive."""
        verdict = self.answer.get("verdict")
        return None if verdict is None else str(verdict)

    @property
    def moved(self) -> Sequence[Mapping[str, Any]]:
        """The columns that moved, the largest move first."""
        return list(self.answer.get("moved", []))

    @property
    def faults(self) -> Sequence[Mapping[str, Any]]:
        """The faults of the data."""
        return list(self.answer.get("faults", []))

    @property
    def report(self) -> Path | None:
        """The page of the report."""
        return Path(self.answer["report"]) if "report" in self.answer else None


def tune(*request: "str | TuneSettings", **values: object) -> TuneResult:
    """Search a candidate's parameters and register the best model.

    Like every function here it takes overrides as a command line has them, and settings by name; or one object of the
    verb's settings.

    Raises:
        RequestError: the request was wrong; nothing was written.
        ThinfileError: something failed.
    """
    return _answer(TuneResult, "tune", request, values)


def compare(*request: "str | CompareSettings", **values: object) -> CompareResult:
    """List the versions and studies of a model, or show one study; see `tune` for the arguments."""
    return _answer(CompareResult, "compare", request, values)


def promote(*request: "str | PromoteSettings", **values: object) -> PromoteResult:
    """Judge a challenger by the gates and promote it, recorded in the ledger; see `tune` for the arguments."""
    return _answer(PromoteResult, "promote", request, values)


def score(*request: "str | ScoreSettings", **values: object) -> ScoreResult:
    """Score a table of applications, or the book, for a month; see `tune` for the arguments."""
    return _answer(ScoreResult, "score", request, values)


def watch(*request: "str | WatchSettings", **values: object) -> WatchResult:
    """Write the drift report of a month and act on it; see `tune` for the arguments."""
    return _answer(WatchResult, "watch", request, values)


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


R = TypeVar("R", bound=Result)


def _answer(kind: type[R], verb: str, request: Sequence[object], values: Mapping[str, object]) -> R:
    use_own_packages()
    from pipelines.command.python_api import outcome_of
    from pipelines.command.verb import as_json, summary_text

    outcome = outcome_of(verb, request, values)
    return kind(as_json(outcome), summary_text(outcome), int(outcome.exit_code))


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def _is_own(module: ModuleType) -> bool:
    return any(Path(path).resolve().parent == ROOT.resolve() for path in getattr(module, "__path__", ()))


def _place(module: ModuleType) -> str:
    folders = list(getattr(module, "__path__", ()))
    return folders[0] if folders else str(module.__file__)


if __name__ == "__main__":
    sys.exit(main())
