"""A campaign of random tampering: no decision by an unproven version, and `promote verify` names every change."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import create_engine, text

from experiments.document.page import page_of
from experiments.evidence.evidence_files import SEALED, attached_file, evidence_path, sealed
from experiments.promotion import actions as deciding
from experiments.promotion import anchor, policies
from experiments.promotion.settings import AnchorSettings, PromoteAction
from experiments.promotion.verify import verify
from pipelines.command.verb import ExitCode, attempt
from pipelines.ledger.champion import disputed_champion
from pipelines.ledger.signatures import message_of
from pipelines.ledger.signers import signers_of_file
from pipelines.model_store.files import DOCUMENT, DOCUMENT_JSON
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHAMPION, LEDGER_HEAD, MODEL_HASH, STAGE
from pipelines.policy.pack import ApprovalSettings, PolicySettings
from pipelines.policy.stored_policies import policy_from
from pipelines.storage.chain import GENESIS, _hash, _spell
from pipelines.storage.fingerprint import fingerprint_record
from pipelines.storage.json_values import to_json_values
from pipelines.storage.workspace import Workspace, sqlite_url
from tests.evidence.conftest import Evidence
from tests.experiments.ledgers import Book, flip
from tests.experiments.promotion.signing_people import People
from tests.experiments.promotion.test_signatures import key_of

SEED = 16
ONE = policy_from(to_json_values(PolicySettings(name="one", approvals=ApprovalSettings(people=1, signed=True))))

Undo = Callable[[], object]


@dataclass
class Target:
    """A ledger with signers, a signed policy, approvals, two champions and an anchor; version 2 is champion."""

    book: Book
    people: People
    file: Path

    def settings(self, action: PromoteAction, **told: Any) -> Any:
        return self.book.settings(action, policy=ONE, anchor=AnchorSettings(file=str(self.file)), **told)

    def key(self, name: str) -> str:
        return str(self.people.key(name))

    @property
    def store(self) -> ModelStore:
        return self.book.store

    def rows(self) -> list[dict[str, Any]]:
        engine = create_engine(sqlite_url(self.store.workspace.chain))
        with engine.begin() as connection:
            found = connection.execute(text("select * from chain where chain = :c order by sequence"), {"c": self.name})
            rows = [dict(row._mapping) for row in found]
        engine.dispose()
        return rows

    @property
    def name(self) -> str:
        return f"promotions of {self.book.model}"

    def replace(self, rows: list[dict[str, Any]], head: str) -> None:
        engine = create_engine(sqlite_url(self.store.workspace.chain))
        with engine.begin() as connection:
            connection.execute(text("delete from chain where chain = :c"), {"c": self.name})
            for row in rows:
                columns = ", ".join(row)
                values = ", ".join(f":{name}" for name in row)
                connection.execute(text(f"insert into chain ({columns}) values ({values})"), row)
        engine.dispose()
        self.store.client.set_registered_model_tag(self.book.model, LEDGER_HEAD, head)

    def rewrite(self, change: Callable[[list[dict[str, Any]]], None]) -> Undo:
        """Change entries as who may write to the database can: with new hashes throughout and a new head in MLflow."""
        before, head = self.rows(), self.store.standing(self.book.model)[1][LEDGER_HEAD]
        rows = [dict(row) | {"content": json.loads(row["content"])} for row in before]
        change(rows)
        previous = GENESIS
        for number, row in enumerate(rows, start=1):
            spelled = _spell(row["content"])
            hash_ = _hash(self.name, number, row["written_at"], spelled, previous)
            row |= {"sequence": number, "content": spelled, "previous_hash": previous, "hash": hash_}
            previous = hash_
        self.replace(rows, f"{len(rows)} {previous}")
        return lambda: self.replace(before, head)


def alias_moved(target: Target, draw: np.random.Generator) -> Undo:
    target.store.set_alias(target.book.version(int(draw.choice([1, 3]))), CHAMPION)
    return lambda: target.store.set_alias(target.book.version(2), CHAMPION)


def alias_deleted(target: Target, _: np.random.Generator) -> Undo:
    target.store.client.delete_registered_model_alias(target.book.model, CHAMPION)
    return lambda: target.store.set_alias(target.book.version(2), CHAMPION)


def tag_changed(target: Target, draw: np.random.Generator) -> Undo:
    version = target.store.version(target.book.model, int(draw.choice([1, 2])))
    key = str(draw.choice([MODEL_HASH, STAGE]))
    target.store.tag(version, {key: str(draw.choice(["champion!", "0" * 64]))})
    return lambda: target.store.tag(version, {key: version.tags[key]})


def model_file_changed(target: Target, draw: np.random.Generator) -> Undo:
    folder = target.store.download(target.book.version(2))
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "registered_model_meta")
    path = files[int(draw.integers(len(files)))]
    before = path.read_bytes()
    flip(path, int(draw.integers(len(before))))
    return lambda: path.write_bytes(before)


def model_file_added(target: Target, draw: np.random.Generator) -> Undo:
    folder = target.store.download(target.book.version(2))
    path = folder / str(draw.choice(["__pycache__/served_model.cpython-311.pyc", "more.py", "artifacts/model/x.json"]))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"planted")
    return path.unlink


def evidence_changed(target: Target, draw: np.random.Generator) -> Undo:
    entry = target.book.open().state.judgements[int(draw.choice([1, 2]))]
    version = target.book.version(int(str(entry.content["version"])))
    path = attached_file(target.store, version, str(evidence_path(str(entry.content["evidence_hash"]))))
    assert path is not None
    before = path.read_bytes()
    flip(path, int(draw.integers(len(before))))
    return lambda: path.write_bytes(before)


def document_rewritten(target: Target, draw: np.random.Generator) -> Undo:
    """Change what a document says, as whoever has Thinfile can: with new hashes, and a new page."""
    version = target.book.version(int(draw.choice([1, 2])))
    paths = [attached_file(target.store, version, name) for name in (DOCUMENT, DOCUMENT_JSON)]
    page, record = (path for path in paths if path is not None)
    before = page.read_bytes(), record.read_bytes()
    content = json.loads(before[1])
    del content[SEALED]
    part = str(draw.choice(["limitations", "judgements", "verdict", "evidence"]))
    if part == "verdict":
        content["verdict"]["sentence"] = "It passed all gates."
    elif part == "evidence":
        content["evidence"]["gates"][0]["value"] = 0.9
    else:
        content[part] = content[part][1:]
    record.write_text(json.dumps(content | {SEALED: fingerprint_record(content)}, indent=1))
    page.write_text(sealed(page_of(content)))

    def restore() -> None:
        page.write_bytes(before[0])
        record.write_bytes(before[1])

    return restore


def ledger_cell_changed(target: Target, draw: np.random.Generator) -> Undo:
    rows, head = target.rows(), target.store.standing(target.book.model)[1][LEDGER_HEAD]
    row = dict(rows[int(draw.integers(len(rows)))])
    place = int(draw.integers(1, len(row["content"]) - 1))
    letter = "x" if row["content"][place] != "x" else "y"
    changed = row | {"content": row["content"][:place] + letter + row["content"][place + 1 :]}
    target.replace([changed if one["sequence"] == row["sequence"] else one for one in rows], head)
    return lambda: target.replace(rows, head)


def chain_shortened(target: Target, draw: np.random.Generator) -> Undo:
    return target.rewrite(lambda rows: rows.__delitem__(slice(-int(draw.integers(1, 4)), None)))


def approval_forged(target: Target, draw: np.random.Generator) -> Undo:
    """Sign in a listed name with a key of one's own, and write the chain anew."""
    folder = target.file.parent / "forged"
    folder.mkdir(exist_ok=True)
    name = str(draw.choice(["anna", "bert"]))
    key = folder / name if (folder / name).exists() else key_of(folder, name)
    listed = folder / "allowed"
    listed.write_text(f"{name} {Path(f'{key}.pub').read_text()}")

    def change(rows: list[dict[str, Any]]) -> None:
        approvals = [row for row in rows if row["content"]["decision"] == "approved"]
        content = approvals[int(draw.integers(len(approvals)))]["content"]
        request = next(row for row in rows if row["sequence"] == content["request"])
        message = message_of(target.name, content["request"], request["hash"], name)
        signature = signers_of_file(listed, folder).sign(message, key)
        content |= {"by": name, "signature": signature, "key": listed.read_text().strip()}

    return target.rewrite(change)


def signature_removed(target: Target, draw: np.random.Generator) -> Undo:
    def change(rows: list[dict[str, Any]]) -> None:
        signed = [row["content"] for row in rows if row["content"].get("signature")]
        content = signed[int(draw.integers(len(signed)))]
        content |= {"signature": None, "authenticated": False}

    return target.rewrite(change)


def champion_rewritten(target: Target, draw: np.random.Generator) -> Undo:
    """Make the ledger itself say that a version that was refused is the champion, alias and all."""
    version = int(draw.choice([1, 3]))

    def change(rows: list[dict[str, Any]]) -> None:
        content = [row["content"] for row in rows if row["content"]["decision"] == "promoted"][-1]
        content["version"] = version

    undo = target.rewrite(change)
    target.store.set_alias(target.book.version(version), CHAMPION)
    tags = {one.version: one.tags for one in target.store.versions(target.book.model)}

    def restore() -> None:
        undo()
        target.store.set_alias(target.book.version(2), CHAMPION)
        for number, kept in tags.items():
            target.store.tag(target.store.version(target.book.model, number), dict(kept))

    return restore


def policy_rewritten(target: Target, draw: np.random.Generator) -> Undo:
    """Lower the policy of the model, or that of a request, in the ledger."""
    of_model = bool(draw.integers(2))

    def change(rows: list[dict[str, Any]]) -> None:
        contents = [row["content"] for row in rows]
        if of_model:
            next(one for one in contents if one["decision"] == "policy")["policy"]["approve_from"] = 351
        else:
            asked = [one for one in contents if one["decision"] == "requested"]
            asked[-1]["evidence"]["about"]["policy"]["approvals"]["people"] = 0

    return target.rewrite(change)


def signers_replaced(target: Target, draw: np.random.Generator) -> Undo:
    file = target.people.file
    before = file.read_text()
    key = target.key("carl")
    added = f"carl {Path(f'{key}.pub').read_text()}"
    file.write_text(added if draw.integers(2) else before + added)
    return lambda: file.write_text(before)


def anchor_changed(target: Target, draw: np.random.Generator) -> Undo:
    before = target.file.read_text()
    lines = [json.loads(line) for line in before.splitlines()]
    line = lines[int(draw.integers(len(lines)))]
    line |= {"entries": line["entries"] + 1} if draw.integers(2) else {"hash": "0" * 64}
    target.file.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return lambda: target.file.write_text(before)


KINDS = (
    alias_moved,
    alias_deleted,
    tag_changed,
    model_file_changed,
    model_file_added,
    evidence_changed,
    document_rewritten,
    ledger_cell_changed,
    chain_shortened,
    approval_forged,
    signature_removed,
    champion_rewritten,
    policy_rewritten,
    signers_replaced,
    anchor_changed,
)


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    book = Book(ModelStore(Workspace(tmp_path / "workspace")), "campaign")
    people = People(book, tmp_path, monkeypatch, ("anna", "bert", "dora"))
    target = Target(book, people, tmp_path / "anchor.jsonl")
    policies.set_policy(target.settings(PromoteAction.policy, key=target.key("anna")))
    for version in (1, 2):
        people.ask(version, ONE)
        deciding.approve(target.settings(PromoteAction.approve, key=target.key("anna")))
        deciding.apply(target.settings(PromoteAction.apply))
        anchor.checkpoint(target.settings(PromoteAction.checkpoint, key=target.key("bert")))
    book.version(3)
    return target


def counted(kinds: Counter[str]) -> str:
    """Return how often each kind was tried, in words."""
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in kinds.items())


def decided_by(target: Target) -> int | None:
    """Return the version that would decide now, None where scoring is refused."""
    try:
        champion = disputed_champion(target.store, target.book.model)
    except Exception:
        return None
    return None if champion.dispute else champion.registered.version


@pytest.mark.integration
def test_nothing_that_is_tampered_with_decides_and_verify_names_it(evidence: Evidence, target: Target) -> None:
    checked = target.settings(PromoteAction.verify)
    assert verify(checked).result["findings"] == []
    draw, times = np.random.default_rng(SEED), evidence.size(full=200, reduced=30)
    unnamed: list[str] = []
    unproven: list[str] = []
    kinds: Counter[str] = Counter()
    for number in range(times):
        kind = KINDS[number % len(KINDS)]
        undo = kind(target, draw)
        kinds[kind.__name__] += 1
        verified = attempt(verify, checked)
        if verified.exit_code is not ExitCode.ANSWER_IS_NO:
            unnamed.append(f"{number} {kind.__name__}: {verified.error or verified.summary[0]}")
        version = decided_by(target)
        if version not in (None, 2):
            unproven.append(f"{number} {kind.__name__}: version {version}")
        undo()
    assert verify(checked).result["findings"] == []
    evidence.record(
        "91-promotion-campaign",
        claim="random tampering with alias, tags, model files, evidence, documents, ledger rows, signatures, policy, "
        f"signers and anchor, seed {SEED}: {counted(kinds)}",
        value=f"{times - len(unnamed)} of {times} named by verify, {len(unproven)} decisions by an unproven version",
        bound="all named, no decision",
        holds=not unnamed and not unproven,
    )
    assert not unnamed
    assert not unproven
