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
    """`customer` is the customer_id of the person to erase; `why` is written into the chain and kept for ever.

    `columns` are further columns, of tables of your own, that hold a customer's id; `applications` are ids of the
    person's applications that no table of the lake tells.
    """

    action: EraseAction = EraseAction.erase
    customer: str | None = None
    why: str = ""
    columns: list[str] = field(default_factory=list)
    applications: list[str] = field(default_factory=list)
