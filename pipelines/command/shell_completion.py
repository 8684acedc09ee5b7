"""Completes a command line in bash, zsh and fish: verbs, actions, flags, keys, choices and values."""

import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from pipelines.command.verbs import VERBS, verb_named
from pipelines.errors import ConfigurationError, nearest

FLAG = "--shell-completion"

BASH = """\
_thinfile() {
    local line=${COMP_LINE:0:COMP_POINT} word reply
    word=${line##* }
    COMPREPLY=()
    while IFS= read -r reply; do
        [[ $COMP_WORDBREAKS == *=* ]] && reply=${reply#"${word%"${word##*[=:]}"}"}
        COMPREPLY+=("$reply")
    done < <(COMP_LINE=$line thinfile --shell-completion query 2>/dev/null)
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=.] ]] && compopt -o nospace
}
complete -o bashdefault -o default -F _thinfile thinfile
"""

ZSH = """\
_thinfile() {
    local -a replies
    replies=("${(@f)$(COMP_LINE="${(j: :)words[1,CURRENT]}" thinfile --shell-completion query 2>/dev/null)}")
    replies=(${replies:#})
    if (( $#replies )); then
        compadd -Q -S '' -- ${(M)replies:#*[=.]}
        compadd -Q -- ${replies:#*[=.]}
    else
        compset -P '*='
        _files
    fi
}
compdef _thinfile thinfile
"""

FISH = """\
function __thinfile_complete
    COMP_LINE=(commandline -cp) thinfile --shell-completion query 2>/dev/null
end
complete -c thinfile -a '(__thinfile_complete)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}

REMOVAL = {
    "bash": "complete -r thinfile; unset -f _thinfile",
    "zsh": "compdef -d thinfile; unfunction _thinfile",
    "fish": "complete -e -c thinfile; functions -e __thinfile_complete",
}


def shell_completion(words: Sequence[str]) -> int:
    """Print the script that installs or removes the completion of a shell, or the words that complete COMP_LINE.

    Raises:
        ConfigurationError: something else is requested, or another shell.
    """
    request = next((word for word in words if word.partition("=")[0] in ("install", "uninstall", "query")), "")
    action, _, shell = request.partition("=")
    if action == "query":
        with suppress(Exception):  # a shell shows nothing rather than an error between the user's words
            for completion in completions(os.environ.get("COMP_LINE", "")):
                print(completion)
        return 0
    if shell not in SCRIPTS:
        close = nearest(shell, SCRIPTS) if shell else "known: bash, fish, zsh"
        raise ConfigurationError(
            f"{FLAG} takes install=SHELL or uninstall=SHELL, received '{' '.join(words)}'; {close}"
        )
    print(SCRIPTS[shell] if action == "install" else REMOVAL[shell], end="" if action == "install" else "\n")
    return 0


def completions(line: str) -> list[str]:
    """Return the words that the last word of a command line may become, in order."""
    *before, word = _words(line)[1:] or [""]
    if not before:
        return _starting_with(word, [*VERBS, "--help", "--version", FLAG])
    return sorted(set(_after_verb(before[0], before[1:], word))) if before[0] in VERBS else []


def _words(line: str) -> list[str]:
    """Return the words of a line, the last of which is empty after a space; a quote may be open.

    >>> _words("thinfile tune data.label='a b"), _words("thinfile tune ")
    (['thinfile', 'tune', 'data.label=a b'], ['thinfile', 'tune', ''])
    """
    for closing in ("", "'", '"'):
        with suppress(ValueError):
            words = shlex.split(line + closing)
            return [*words, ""] if line.endswith(" ") and not closing else words
    return line.split(" ")


def _starting_with(word: str, choices: Iterable[str]) -> list[str]:
    return [choice for choice in choices if choice.startswith(word)]


def _after_verb(name: str, before: Sequence[str], word: str) -> Iterator[str]:
    from pipelines.command.hydra_adapter import flags
    from pipelines.command.hydra_application import described

    if word.startswith("-"):
        yield from _starting_with(word, [*flags(), FLAG])
        return
    verb = verb_named(name)
    groups, settings = described(verb, before)
    mark = word[: len(word) - len(word.lstrip("+~"))]
    key, equals, value = word[len(mark) :].partition("=")
    if equals:
        allowed = {one.key: one.allowed.split(" | ") for one in settings if " | " in one.allowed} | groups
        start, comma, last = value.rpartition(",")
        yield from (f"{mark}{key}={start}{comma}{one}" for one in _starting_with(last, allowed.get(key, ())))
        return
    if verb.actions and not mark:
        yield from _starting_with(key, (str(action.value) for action in verb.actions))
    keys = [*groups, *(one.key for one in settings if one.allowed and not (verb.actions and one.key == "action"))]
    for match in _starting_with(key, (f"{one}=" for one in keys)):
        dot = match.find(".", len(key))
        yield mark + (match if dot < 0 else match[: dot + 1])
