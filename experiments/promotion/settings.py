"""The settings of the verb promote: the schema behind conf/promote.yaml."""

from dataclasses import dataclass, field
from enum import Enum

from experiments.evidence.settings import EvaluationSetSettings
from pipelines.command.verb import VerbSettings, carried, override
from pipelines.policy.pack import PolicySettings


class PromoteAction(Enum):
    """What `thinfile promote` does: without a word it asks, and applies at once what needs nobody else's approval."""

    decide = "decide"
    request = "request"
    approve = "approve"
    apply = "apply"
    rollback = "rollback"
    history = "history"
    verify = "verify"


@dataclass
class PromoteSettings(EvaluationSetSettings, VerbSettings):
    """`version` is the challenger's number, by default the one that carries the alias `challenger`.

    `data`, `split` and `seed` say what to judge on; by default what the challenger's own record says. A model trained
    elsewhere has no record and needs `data`.

    `request` is the ledger entry that `approve` and `apply` are about, by default the latest open one; `key` a private
    ssh key to sign an approval with; `why` is written into the ledger. `rollback` goes back to the champion before, or
    to an earlier champion named by `version`.
    """

    action: PromoteAction = PromoteAction.decide
    model: str = "credit_score"
    version: int | None = None
    policy: PolicySettings = field(default_factory=PolicySettings)
    request: int | None = None
    key: str | None = None
    why: str = ""


def carried_along(settings: PromoteSettings) -> str:
    """Return the overrides that the next step of a promotion needs: model, workspace, and the policy pack by its name.

    >>> carried_along(PromoteSettings(policy=PolicySettings(name="eu")))
    ' policy=eu'
    """
    name = settings.policy.name
    return carried(settings) if name == PolicySettings().name else f" {override('policy', name)}{carried(settings)}"
