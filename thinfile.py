"""The front door: finds the function of a verb and imports it only when it is asked for."""

import atexit
import gc
import os
import sys
import textwrap
from importlib import import_module

from pipelines.command.verbs import VERBS

USAGE = """\
usage: thinfile VERB [ACTION] [key=value ...]

{verbs}

examples:
  thinfile demo
  thinfile tune --help
  thinfile tune candidate=catboost trials=40

Every verb is a Hydra application: --help, --cfg job, --multirun,
--config-dir FOLDER and key=value work. output=json prints one JSON object.
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
    module, _, function = VERBS[verb].function.partition(":")
    # Threads that wait for others sleep; else two processes on the same cores take ten times as long as one after the
    # other. OpenMP reads this when the first library that uses it is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    atexit.register(
        gc.freeze
    )  # to look for garbage among all that libraries leave takes a second, and the process ends
    try:
        return int(getattr(import_module(module), function)(rest))
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt as error:
        print(str(error) or "interrupted: the same command goes on where it stopped", file=sys.stderr)
        return 1


def usage() -> str:
    """Return the list of verbs."""
    lines = (
        line
        for verb, entry in VERBS.items()
        for line in textwrap.wrap(entry.meaning, 80, initial_indent=f"  {verb:<10}", subsequent_indent=" " * 12)
    )
    return USAGE.format(verbs="\n".join(lines))


def _refuse(verb: str, rest: list[str]) -> int:
    from pipelines.command.verb import Output, failed, print_outcomes
    from pipelines.errors import ConfigurationError, nearest

    error = ConfigurationError(f"unknown verb '{verb}'; {nearest(verb, VERBS)}")
    print_outcomes([failed(error)], Output.json if "output=json" in rest else Output.text)
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
