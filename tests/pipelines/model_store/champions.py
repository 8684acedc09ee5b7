"""Makes a trained model champion, in ledger and registry, without a search and without gates."""

from collections.abc import Mapping
from pathlib import Path

from pipelines.candidates.training import TrainedModel
from pipelines.ledger.ledger_state import PROMOTED, REQUESTED, ledger_state_of
from pipelines.ledger.registry import Registry
from pipelines.model_store.files import PROFILE, model_hash
from pipelines.model_store.packaging import save_mlflow_model
from pipelines.model_store.promotions import promotions_of
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import STUDY, TRIAL
from pipelines.policy.pack import PolicySettings, as_recorded, policy_hash
from pipelines.profiles.reference_profile import ReferenceProfile
from pipelines.storage.atomic_files import scratch_folder


def make_champion(
    store: ModelStore, trained: TrainedModel, folder: Path, name: str = "credit_score", **told: str
) -> RegisteredModel:
    """Save a trained model into a new folder, register it with tags and let the alias name it."""
    save_mlflow_model(trained, folder)
    tags = {STUDY: folder.name, TRIAL: "0"} | told
    experiment = store.experiment(name)
    run = store.open_run(experiment, folder.name, {STUDY: folder.name})
    version = store.register(name, experiment=experiment, run_id=run, model_folder=folder, tags=tags)
    store.close_run(run)
    crown(store, version)
    return version


def crown(
    store: ModelStore,
    version: RegisteredModel,
    recorded: str = "",
    policy: PolicySettings | None = None,
    evidence: Mapping[str, object] | None = None,
) -> None:
    """Make a version champion as `thinfile promote` does, without evidence files.

    `recorded` replaces its model hash, `policy` and `evidence` are those of its request.
    """
    chain = promotions_of(store.workspace, version.name)
    about = {"by": "a test", "version": version.version, "why": ""}
    about["model_hash"] = recorded or model_hash(store.download(version))
    entries = chain.entries()
    under: dict[str, object] = {} if evidence is None else {"evidence": evidence}
    if policy is not None:
        under = {"policy_hash": policy_hash(policy)}
        under["evidence"] = {"about": under | {"policy": as_recorded(policy)}}
    chain.append(about | under | {"decision": REQUESTED, "champion": None}, after=len(entries))
    promoted = {"decision": PROMOTED, "request": len(entries) + 1, "previous": ledger_state_of(entries).champion}
    chain.append(about | promoted, after=len(entries) + 1)
    Registry(store, version.name, "").follow(ledger_state_of(chain.entries()))


def attach_profile(store: ModelStore, version: RegisteredModel, profile: ReferenceProfile) -> None:
    """Attach a reference profile to a version, as promote does for a model that another tool logged."""
    with scratch_folder(store.workspace.root) as folder:
        (folder / PROFILE).write_text(profile.to_json())
        store.attach(version, folder)
