"""The policy that travels with a model: that under which its champion was promoted."""

from collections.abc import Mapping
from typing import Any

from omegaconf.errors import OmegaConfBaseException

from pipelines.errors import ThinfileError
from pipelines.ledger.ledger_state import LedgerState, ledger_state_of, section, whole
from pipelines.model_store.promotions import promotions_of
from pipelines.policy.pack import PolicySettings, as_recorded
from pipelines.policy.stored_policies import are_same, policy_from
from pipelines.storage.workspace import Workspace


def policy_of_champion(workspace: Workspace, model: str) -> PolicySettings | None:
    """Return the policy under which the champion of a model was promoted, None before its first promotion.

    Raises:
        ChainBroken: an entry of the ledger was changed or removed.
        ThinfileError: the policy has settings that this version does not know.
    """
    state = ledger_state_of(promotions_of(workspace, model).entries())
    recorded = _recorded(state, state.champion)
    return None if recorded is None else policy_of(recorded)


def policy_of_promotion(workspace: Workspace, model: str, version: int) -> PolicySettings | None:
    """Return the policy under which a version was last promoted, None where it never was. Raises as above."""
    recorded = _recorded(ledger_state_of(promotions_of(workspace, model).entries()), version)
    return None if recorded is None else policy_of(recorded)


def is_policy_of_promotion(workspace: Workspace, model: str, policy: PolicySettings) -> bool:
    """Return whether a policy decides as that under which the champion was promoted; true before a promotion."""
    state = ledger_state_of(promotions_of(workspace, model).entries())
    recorded = _recorded(state, state.champion)
    return recorded is None or are_same(recorded, as_recorded(policy))


def policy_of(recorded: Mapping[str, Any]) -> PolicySettings:
    """Return the policy in a ledger.

    Raises:
        ThinfileError: it has settings that this version does not know.
    """
    try:
        return policy_from(recorded)
    except OmegaConfBaseException as error:
        raise ThinfileError(
            f"the recorded policy '{recorded.get('name')}' has settings that this version does not know "
            f"({str(error).splitlines()[0]}); name a policy with policy=NAME"
        ) from error


def _recorded(state: LedgerState, version: int | None) -> Mapping[str, Any] | None:
    """Return the policy in the request of a version's last promotion."""
    promotion = None if version is None else state.promotions.get(version)
    request = None if promotion is None else state.requests.get(whole(promotion.content["request"]))
    found = None if request is None else section(request.content, "evidence", "about", "policy")
    return found if isinstance(found, Mapping) else None
