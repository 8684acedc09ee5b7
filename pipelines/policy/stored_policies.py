"""The policies that decisions were made under, by the policy hash in the score log."""

import json
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipelines.errors import ThinfileError
from pipelines.policy.pack import PolicySettings, policy_hash
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.fingerprint import fingerprint_record
from pipelines.storage.json_values import to_json_values
from pipelines.storage.workspace import Workspace


def keep_policy(workspace: Workspace, policy: PolicySettings) -> str:
    """Write a policy to a file named by its hash, unless it is there, and return the hash."""
    path, content = workspace.policies / f"{policy_hash(policy)}.json", json.dumps(to_json_values(policy), indent=1)
    if not path.exists() or path.read_text() != content:
        with whole_file(path) as temporary:
            temporary.write_text(content)
    return path.stem


def kept_policy(workspace: Workspace, found_hash: str) -> PolicySettings:
    """Return the policy of a hash; what is newer than it has its default.

    Raises:
        ThinfileError: it is not there, or is not what was written.
    """
    path = workspace.policies / f"{found_hash}.json"
    try:
        record: dict[str, Any] = json.loads(path.read_text())
        if fingerprint_record(record) != found_hash:
            raise ValueError(f"its content has the hash {fingerprint_record(record)[:12]}")
        policy = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(PolicySettings), record))
    except (OSError, ValueError, OmegaConfBaseException) as error:
        raise ThinfileError(
            f"the policy '{path}' does not match its hash ({error}); restore the file from a copy"
        ) from error
    assert isinstance(policy, PolicySettings)
    return policy
