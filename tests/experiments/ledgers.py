"""Tiny registered models with their evidence, made without training, and what the registry says about them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlflow.models import Model
from sqlalchemy import create_engine, text

from experiments.promotion import actions as deciding
from experiments.promotion import verify
from experiments.promotion.ledger import PromotionLedger
from experiments.promotion.settings import PromoteAction, PromoteSettings
from pipelines.command.verb import ExitCode
from pipelines.model_store.files import FILES
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHAMPION, MODEL_HASH, STAGE, STUDY, TRIAL
from pipelines.policy.pack import PolicySettings, policy_hash
from pipelines.storage.atomic_files import scratch_folder
from pipelines.storage.chain import Entry
from pipelines.storage.fingerprint import fingerprint_record
from pipelines.storage.json_values import to_json_values
from pipelines.storage.workspace import sqlite_url


def registered(store: ModelStore, name: str, number: int) -> RegisteredModel:
    """Register a version whose files say no more than its number."""
    experiment = store.experiment("tiny")
    run = store.open_run(experiment, "tiny", {STUDY: name})
    with scratch_folder(store.workspace.root) as scratch:
        folder = scratch / "model"
        (folder / FILES).mkdir(parents=True)
        Model().save(folder / "MLmodel")
        (folder / FILES / "model.json").write_text(f'{{"version": {number}}}')
        (folder / "served_model.py").write_text("# answers nothing\n")
        tags = {STUDY: name, TRIAL: str(number)}
        return store.register(name, experiment=experiment, run_id=run, model_folder=folder, tags=tags)


def evidence_of(
    challenger: RegisteredModel,
    champion: RegisteredModel | None = None,
    *,
    passed: bool = True,
    policy: PolicySettings | None = None,
    made_at: str | None = None,
    test_part: str = "march",
) -> dict[str, Any]:
    """Return evidence that says what a test needs it to say."""
    policy = policy or PolicySettings()
    against = {"version": champion.version, "model_hash": champion.tags[MODEL_HASH]} if champion else None
    about = {
        "model": challenger.name,
        "version": challenger.version,
        "model_hash": challenger.tags[MODEL_HASH],
        "champion": against,
        "test_part": test_part,
        "made_at": made_at or datetime.now(UTC).isoformat(),
        "policy": to_json_values(policy),
        "policy_hash": policy_hash(policy),
    }
    gate = {"gate": "discrimination", "passed": passed, "blocking": True, "value": 0.7, "bound": "", "sentence": ""}
    evidence = {"schema": 1, "about": about, "gates": [gate]}
    return evidence | {"evidence_hash": fingerprint_record(evidence)}


def asked(ledger: PromotionLedger, store: ModelStore, challenger: RegisteredModel, **told: Any) -> Entry:
    """Ask for a version to be promoted, judged against the champion as it is."""
    champion = store.aliased(challenger.name, CHAMPION)
    return ledger.request(challenger, evidence_of(challenger, champion, **told), "a test")


def said_by_registry(store: ModelStore, model: str) -> tuple[int | None, dict[int, str]]:
    """Return the version that the alias champion names, and the stage of every version that has one."""
    versions = store.versions(model)
    champion = next((one.version for one in versions if CHAMPION in one.aliases), None)
    return champion, {one.version: one.tags[STAGE] for one in versions if STAGE in one.tags}


class Book:
    """The ledger of one model, and its versions by number."""

    def __init__(self, store: ModelStore, model: str) -> None:
        self.store, self.model = store, model
        self.made: list[RegisteredModel] = []

    def version(self, number: int) -> RegisteredModel:
        while len(self.made) < number:
            self.made.append(registered(self.store, self.model, len(self.made) + 1))
        return self.made[number - 1]

    def open(self, **how: Any) -> PromotionLedger:
        return PromotionLedger(self.store.workspace, self.store, self.model, **how)

    def settings(self, action: PromoteAction, **told: Any) -> PromoteSettings:
        return PromoteSettings(action=action, workspace=str(self.store.workspace.root), model=self.model, **told)

    def ask(self, version: int, **told: Any) -> int:
        return asked(self.open(), self.store, self.version(version), **told).sequence

    def promote(self, version: int) -> int:
        return self.open().promote(self.ask(version)).sequence

    def findings(self) -> list[str]:
        outcome = verify.verify(self.settings(PromoteAction.verify))
        found = list(outcome.result["findings"])  # type: ignore[call-overload]
        assert outcome.exit_code is (ExitCode.ANSWER_IS_NO if found else ExitCode.DONE)
        return found

    def roll_back(self, **told: Any) -> Any:
        return deciding.rollback(self.settings(PromoteAction.rollback, **told)).result

    def tamper(self, statement: str) -> None:
        engine = create_engine(sqlite_url(self.store.workspace.chain))
        with engine.begin() as connection:
            connection.execute(text(f"{statement} and chain = 'promotions of {self.model}'"))
        engine.dispose()


def flip(path: Path, place: int = -2) -> None:
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(bytes(content))
