"""What a demo is told with: the data to learn from, and two production periods with what is known of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Story:
    """`data` are the overrides that a search is given, the first of them the choice of data.

    `model` is the name in the registry: a demo leaves the models of its user alone. `identity` are the overrides that
    scoring needs besides. `periods` say of each month how it was drawn, `files` where its applications lie. `trials` is
    the length of a search that takes about a minute.
    """

    opening: str
    model: str
    data: Sequence[str]
    identity: Sequence[str]
    periods: Mapping[str, str]
    files: Mapping[str, Path]
    trials: int
