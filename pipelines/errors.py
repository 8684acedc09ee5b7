"""Errors a user can act on.

    ThinfileError            exit 1: something failed
    +-- RequestError         exit 2: the request was wrong
        +-- ConfigurationError     a key, type, choice or verb
        +-- DataError              a file, a column, rows
    +-- AnswerIsNo           exit 3: the answer is no, or cannot be given

A message has three parts: the rule, the value received, the next step. "The answer is no" is a result where a verb can
return one: see `pipelines.command.verb.Outcome`. It is an error where it is found too deep to be one: a broken chain, a
registry that contradicts the ledger, a promotion that somebody else overtook or that may not be applied.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class ThinfileError(Exception):
    """Something failed; the message says what to do next."""

    exit_code = 1


class RequestError(ThinfileError):
    """The request was wrong; nothing was written."""

    exit_code = 2


class AnswerIsNo(ThinfileError):
    """The answer is no, or cannot be given; the message says why."""

    exit_code = 3


class ConfigurationError(RequestError):
    """A verb, key, type or choice that does not exist."""


class DataError(RequestError):
    """A file, column or row that breaks its contract."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the part of a message that lists the names nearest to an unknown one, or all when none is near.

    >>> nearest("catbost", ["scorecard", "catboost"])
    'did you mean catboost?'
    >>> nearest("catbost", ["catboost", "catboost"])
    'did you mean catboost?'
    >>> nearest("zzz", ["scorecard", "catboost"])
    'known: catboost, scorecard'
    """
    options = [one if one == one.strip() else repr(one) for one in sorted(set(known))]
    close = get_close_matches(name, options, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(options) or 'none'}"


def listed(names: Sequence[object], most: int) -> str:
    """Return names separated by commas: at most so many, then how many more there are.

    >>> listed(["income", "age", "tenure"], most=2)
    'income, age and 1 more'
    >>> listed(["income", "age"], most=2)
    'income, age'
    """
    more = len(names) - most
    return ", ".join(map(str, names[:most])) + (f" and {more:,} more" if more > 0 else "")
