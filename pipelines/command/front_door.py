"""The front door: finds a verb and imports it only when it is asked for."""

import atexit
import gc
import os
import sys
import textwrap

from pipelines.command.provenance import own_version
from pipelines.command.verbs import VERBS, verb_named
from pipelines.errors import ConfigurationError, nearest
from pipelines.secrets.command_line import warning, without_secrets

USAGE = """\
usage: thinfile VERB [ACTION] [key=value ...]

{verbs}

examples:
  thinfile demo
  thinfile tune --help
  thinfile tune data=table data.path=FILE data.label=COLUMN

Every verb is a Hydra application: --help, --cfg job, --multirun,
--config-dir FOLDER and key=value work. output=json prints one JSON object.
--version and --shell-completion install=bash (zsh, fish) work too.
"""


def run_command(arguments: list[str] | None = None) -> int:
    """Run the verb that the arguments name, by default those of this process, and return its exit code."""
    words = _without_secrets(sys.argv[1:] if arguments is None else arguments, is_process=arguments is None)
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage(), end="")
        return 0 if words else 2
    if "--version" in words:
        print(f"thinfile {own_version()}")
        return 0
    if {"--shell-completion", "-sc"} & set(words):
        return _complete(words)
    verb, *rest = words
    if verb not in VERBS:
        return _refuse(ConfigurationError(f"unknown verb '{verb}'; {nearest(verb, VERBS)}"), rest)
    # Threads that wait for others sleep; else two processes on the same cores take ten times as long as one after the
    # other. OpenMP reads this when the first library that uses it is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    atexit.register(
        gc.freeze
    )  # to look for garbage among all that libraries leave takes a second, and the process ends
    try:
        from pipelines.command.hydra_application import run

        return run(verb_named(verb), rest)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt as error:
        print(str(error) or "interrupted: the same command goes on where it stopped", file=sys.stderr)
        return 1


def _without_secrets(words: list[str], *, is_process: bool) -> list[str]:
    """Return the words of the command without passwords, which move to the environment.

    `ps` shows every user the words that a process began with, so that a process begins again without them.
    """
    hidden, variables = without_secrets(words)
    if variables:
        print(warning(list(variables)), file=sys.stderr, flush=True)
        os.environ.update(variables)
        if is_process:
            begin = sys.orig_argv[1 : len(sys.orig_argv) - len(words)]
            os.execv(sys.executable, [sys.executable, *begin, *hidden])
    return hidden


def usage() -> str:
    """Return the list of verbs."""
    lines = (
        line
        for verb, entry in VERBS.items()
        for line in textwrap.wrap(entry.meaning, 80, initial_indent=f"  {verb:<10}", subsequent_indent=" " * 12)
    )
    return USAGE.format(verbs="\n".join(lines))


def _complete(words: list[str]) -> int:
    from pipelines.command.shell_completion import shell_completion

    try:
        return shell_completion(words)
    except ConfigurationError as error:
        return _refuse(error, words)


def _refuse(error: ConfigurationError, words: list[str]) -> int:
    from pipelines.command.verb import Output, failed, print_outcomes

    print_outcomes([failed(error)], Output.json if "output=json" in words else Output.text)
    return error.exit_code
