"""The settings of the verb promote: the schema behind conf/promote.yaml."""

from dataclasses import dataclass, field
from enum import Enum

from experiments.evidence.settings import EvaluationSetSettings
from pipelines.command.verb import VerbSettings, carried, override
from pipelines.policy.pack import PolicySettings


class PromoteAction(Enum):
    """What `thinfile promote` does; `decide`, the default, requests and applies at once if no approval is needed."""

    decide = "decide"
    request = "request"
    approve = "approve"
    apply = "apply"
    rollback = "rollback"
    policy = "policy"
    exception = "exception"
    signers = "signers"
    checkpoint = "checkpoint"
    history = "history"
    verify = "verify"
    rebuild = "rebuild"


@dataclass
class AnchorSettings:
    """Where checkpoints of the ledger are kept: a place that whoever can write to its database cannot change."""

    file: str | None = None
    """File to which each checkpoint is added, for example on another mount."""
    command: str | None = None
    """Command that gets each checkpoint on its input."""


@dataclass
class PromoteSettings(EvaluationSetSettings, VerbSettings):
    """Settings of `thinfile promote`."""

    action: PromoteAction = PromoteAction.decide
    """What to do; by default the challenger is judged, and promoted if no approval is needed."""
    model: str = "credit_score"
    """Name in the registry."""
    version: int | None = None
    """Challenger, by default the version with the alias `challenger`; of `rollback` the earlier champion to return to.
    """
    policy: PolicySettings = field(default_factory=PolicySettings)
    """Policy pack."""
    request: int | None = None
    """Ledger entry to approve or apply; by default the latest open request."""
    key: str | None = None
    """Private ssh key to sign with; its public key must be among the signers that THINFILE_SIGNERS names."""
    anchor: AnchorSettings = field(default_factory=AnchorSettings)
    """Checkpoints outside the ledger."""
    why: str = ""
    """Reason, stored permanently in the ledger."""


def carried_along(settings: PromoteSettings) -> str:
    """Return the overrides for the next step of a promotion: model, workspace and policy pack.

    >>> carried_along(PromoteSettings(policy=PolicySettings(name="eu")))
    ' policy=eu'
    """
    name = settings.policy.name
    return carried(settings) if name == PolicySettings().name else f" {override('policy', name)}{carried(settings)}"
