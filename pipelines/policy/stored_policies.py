"""The policies that decisions were made under, by the policy hash in the score log."""

import json
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipelines.command.environment_texts import marked
from pipelines.errors import ThinfileError
from pipelines.policy.pack import PolicySettings, as_recorded, policy_hash
from pipelines.secrets.environment_text import as_written
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.fingerprint import fingerprint_record
from pipelines.storage.workspace import Workspace


def keep_policy(workspace: Workspace, policy: PolicySettings) -> str:
    """Write a policy to a file named by its hash, unless it is there, and return the hash."""
    path, content = workspace.policies / f"{policy_hash(policy)}.json", _record_of(policy)
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
        policy = policy_from(record)
    except (OSError, ValueError, OmegaConfBaseException) as error:
        raise ThinfileError(
            f"the policy '{path}' does not match its hash ({error}); restore the file from a copy"
        ) from error
    return policy


def policy_from(record: Mapping[str, Any]) -> PolicySettings:
    """Return the policy of a record; what is newer than it has its default.

    Raises:
        OmegaConfBaseException: it has settings that this version does not know, or the environment lacks a text.
    """
    config = OmegaConf.merge(OmegaConf.structured(PolicySettings), as_written(dict(record)))
    assert isinstance(config, DictConfig)
    policy = marked(OmegaConf.to_object(config), config)
    assert isinstance(policy, PolicySettings)
    return policy


def are_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two recorded policies decide alike: settings that are newer than a record have their default."""
    if fingerprint_record(one) == fingerprint_record(other):
        return True
    try:
        return policy_hash(policy_from(one)) == policy_hash(policy_from(other))
    except OmegaConfBaseException:
        return False


def _record_of(policy: PolicySettings) -> str:
    return json.dumps(as_recorded(policy), indent=1)
