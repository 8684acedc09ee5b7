"""The settings of the verb erase: the schema behind conf/erase.yaml."""

from dataclasses import dataclass, field
from enum import Enum

from pipelines.command.verb import VerbSettings


class EraseAction(Enum):
    """What `thinfile erase` does; without a word it erases."""

    erase = "erase"
    history = "history"
    verify = "verify"


@dataclass
class EraseSettings(VerbSettings):
    """Settings of `thinfile erase`."""

    action: EraseAction = EraseAction.erase
    """What to do; without a word the person is erased."""
    customer: str | None = None
    """customer_id of the person."""
    why: str = ""
    """Reason, stored permanently in the chain."""
    columns: list[str] = field(default_factory=list)
    """Further columns, in tables of your own, that hold a customer's id."""
    applications: list[str] = field(default_factory=list)
    """Ids of the person's applications that are in no table of the lake."""
