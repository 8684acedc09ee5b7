"""The front door: finds the function of a verb and imports it only when it is asked for."""

import atexit
import gc
import os
import sys
from importlib import import_module

VERBS = {
    "simulate": ("pipelines.cli:simulate", "a simulated marketplace whose true probabilities of default are known"),
    "prepare": ("pipelines.cli:prepare", "a marketplace's raw tables to a training table, point in time and mature"),
    "tune": ("experiments.cli:tune", "search a candidate's parameters, register the best model as challenger"),
    "compare": ("experiments.cli:compare", "the leaderboard of registered models, champion marked"),
    "promote": ("experiments.cli:promote", "challenger against champion through the gates; writes the ledger"),
    "score": ("pipelines.cli:score", "the champion scores a table of applications for a period"),
    "serve": ("pipelines.cli:serve", "decisions over HTTP by the champion, logged, with reasons"),
    "review": ("pipelines.cli:review", "a decision looked at by a person, upheld or overturned, with who and why"),
    "erase": ("pipelines.cli:erase", "a person's rows removed from lake, features and score log; the chains say so"),
    "watch": ("monitoring.cli:watch", "the drift report of a period; exit code 3 when the alarm rings"),
    "ui": ("monitoring.cli:ui", "the index of all reports, and the commands that open the MLflow and Evidently pages"),
    "replay": ("experiments.cli:replay", "a run or a decision rebuilt from its record; exit code 3 when one differs"),
    "demo": ("pipelines.cli:demo", "the whole loop on real German credit data, or (data=marketplace) simulated"),
}

USAGE = """\
usage: thinfile VERB [hydra overrides]

{verbs}

Every verb is a Hydra application: --help, --cfg job, --multirun, --config-dir FOLDER and key=value work.
    thinfile tune --help
    thinfile tune candidate=catboost trials=40
    thinfile tune --multirun candidate=scorecard,catboost,hist_gradient_boosting
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the verb that the arguments name and return its exit code (0 done, 1 failed, 2 wrong request, 3 no)."""
    words = sys.argv[1:] if arguments is None else arguments
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage(), end="")
        return 0 if words else 2
    verb, *rest = words
    if verb not in VERBS:
        return _refuse(verb, rest)
    module, _, function = VERBS[verb][0].partition(":")
    atexit.register(
        gc.freeze
    )  # to look for garbage among all that libraries leave takes a second, and the process ends
    try:
        return int(getattr(import_module(module), function)(rest))
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("interrupted: the same command goes on where it stopped", file=sys.stderr)
        return 1


def usage() -> str:
    """Return the list of verbs."""
    return USAGE.format(verbs="\n".join(f"  {verb:<10}{meaning}" for verb, (_, meaning) in VERBS.items()))


def _refuse(verb: str, rest: list[str]) -> int:
    from pipelines.command.verb import Output, failed, tell
    from pipelines.errors import ConfigurationError, nearest

    error = ConfigurationError(f"unknown verb '{verb}'; {nearest(verb, VERBS)}")
    tell([failed(error)], Output.json if "output=json" in rest else Output.text)
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
