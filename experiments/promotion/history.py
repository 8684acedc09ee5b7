"""Shows the promotion ledger and verifies it against registry, evidence and models."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from experiments.evidence.evidence_files import evidence_finding, model_findings
from experiments.promotion.gates.gate import NOT_MEASURED
from experiments.promotion.ledger import Ledger
from experiments.promotion.ledger_state import APPROVED, PROMOTED, REFUSED, REQUESTED, ROLLED_BACK, section, whole
from experiments.promotion.settings import PromoteSettings
from experiments.promotion.signatures import SignatureRefused, Signers, message_of
from pipelines.command.table import FittedTable, TableColumn
from pipelines.command.verb import ExitCode, Outcome, carried
from pipelines.errors import ThinfileError
from pipelines.model_store.store import ModelStore, existing_store
from pipelines.storage.atomic_files import scratch_folder
from pipelines.storage.chain import ChainBroken, Entry
from pipelines.storage.workspace import Workspace


def history(settings: PromoteSettings) -> Outcome:
    """Return every decision about a model, in order. Raises ChainBroken when an entry was changed."""
    ledger = Ledger(*_opened(settings), settings.model, allow_disagreement=True)
    disagreements = [f"the registry disagrees: {finding}" for finding in ledger.disagreements]
    return Outcome(
        {
            "model": settings.model,
            "champion": ledger.state.champion,
            "entries": [_record(entry) for entry in ledger.entries],
        },
        summary=[_table(settings.model, ledger.entries), *disagreements],
        next_steps=[f"thinfile promote verify{carried(settings)}"],
    )


def verify(settings: PromoteSettings) -> Outcome:
    """Check that ledger, registry, evidence and models agree; exit code 3 with findings."""
    workspace, store = _opened(settings)
    try:
        ledger = Ledger(workspace, store, settings.model, allow_disagreement=True)
    except ChainBroken as error:
        return _verdict(settings, 0, [str(error)])
    findings = [*ledger.disagreements, *_evidence_findings(store, ledger), *_signature_findings(workspace, ledger)]
    findings += _unapproved(ledger)
    return _verdict(settings, len(ledger.entries), findings)


def _opened(settings: PromoteSettings) -> tuple[Workspace, ModelStore]:
    workspace = Workspace.at(settings.workspace)
    return workspace, existing_store(workspace, settings.model)


def _verdict(settings: PromoteSettings, entries: int, findings: list[str]) -> Outcome:
    result = {"model": settings.model, "entries": entries, "findings": findings}
    if findings:
        head = f"NOT VERIFIED: {settings.model}, {len(findings)} finding{'s' * (len(findings) > 1)}"
        listed = [f"  {finding}" for finding in findings]
        return Outcome(result, summary=[head, *listed], exit_code=ExitCode.ANSWER_IS_NO)
    return Outcome(result, summary=[f"VERIFIED: {settings.model}, {entries} entries with their evidence and models"])


def _evidence_findings(store: ModelStore, ledger: Ledger) -> Iterator[str]:
    """Yield what is wrong with the evidence of each request and refusal, and with the files of each champion."""
    folders = dict(_folders(store, ledger))
    promoted = {entry.content["request"] for entry in ledger.state.promotions.values()}
    for entry in ledger.entries:
        if entry.content["decision"] not in (REQUESTED, REFUSED):
            continue
        version = whole(entry.content["version"])
        where, folder = f"entry {entry.sequence}, version {version}", folders.get(version)
        if not isinstance(folder, Path):
            yield f"{where}: {folder or 'the version and its evidence were deleted; restore them from a copy'}"
            continue
        finding = evidence_finding(folder, str(entry.content["evidence_hash"]))
        if finding:
            yield f"{where}: {finding}; restore it from a copy"
        if entry.sequence in promoted:
            findings = model_findings(folder, entry.content)
            yield from (f"{where}: {one}; restore it from a copy, or roll back" for one in findings)


def _folders(store: ModelStore, ledger: Ledger) -> Iterator[tuple[int, Path | str]]:
    """Yield the folder of each judged version, or why it cannot be read."""
    for model in store.versions(ledger.model):
        if model.version in ledger.state.judgements:
            try:
                yield model.version, store.download(model)
            except ThinfileError as error:
                yield model.version, str(error)


def _signature_findings(workspace: Workspace, ledger: Ledger) -> Iterator[str]:
    """Yield approvals whose signature does not verify with the key that the ledger recorded."""
    for approval in ledger.entries:
        if approval.content["decision"] != APPROVED or approval.content["signature"] is None:
            continue
        request = ledger.state.requests[int(str(approval.content["request"]))]
        name = str(approval.content["by"])
        message = message_of(ledger.name, request.sequence, request.hash, name)
        with scratch_folder(workspace.root) as folder:
            listed = folder / "allowed_signers"
            listed.write_text(f"{approval.content['key']}\n")
            try:
                Signers(listed, folder).check(message, str(approval.content["signature"]), name)
            except SignatureRefused as error:
                yield f"entry {approval.sequence}: {error}"


def _unapproved(ledger: Ledger) -> Iterator[str]:
    """Yield promotions with fewer approvals than the policy of their request requires."""
    for entry in ledger.entries:
        if entry.content["decision"] != PROMOTED:
            continue
        request = ledger.state.requests[whole(entry.content["request"])]
        required = section(request.content, "evidence", "about", "policy", "approvals") or {}
        agreed = {
            approval.content["by"]
            for approval in ledger.state.approvals.get(request.sequence, [])
            if approval.sequence < entry.sequence and (approval.content["signature"] or not required["signed"])
        }
        if len(agreed) < required.get("people", 0):
            yield (
                f"entry {entry.sequence} promoted version {entry.content['version']} with {len(agreed)} of "
                f"{required['people']} approvals that the policy of request {request.sequence} requires; roll back"
            )


def _record(entry: Entry) -> dict[str, Any]:
    return {"sequence": entry.sequence, "written_at": entry.written_at, "hash": entry.hash, **entry.content}


COLUMNS = (
    TableColumn("entry"),
    TableColumn("when (UTC)", figures=False),
    TableColumn("who", figures=False, rank=2),
    TableColumn("decision", figures=False),
    TableColumn("version"),
    TableColumn("what", figures=False, wraps=True),
    TableColumn("why", figures=False, rank=1, wraps=True),
)


def _table(name: str, entries: list[Entry]) -> FittedTable:
    table = FittedTable(f"{name}: {len(entries)} entr{'y' if len(entries) == 1 else 'ies'} in the ledger", COLUMNS)
    for entry in entries:
        content = entry.content
        cells = (str(content["by"]), str(content["decision"]), str(content["version"]), _what(content))
        when = entry.written_at[:16].replace("T", " ")
        table.rows.append([str(entry.sequence), when, *cells, str(content["why"] or "")])
    return table


def _what(content: Mapping[str, Any]) -> str:
    decision = content["decision"]
    if decision in (REQUESTED, REFUSED):
        gates = section(content, "evidence", "gates")
        tolerated = [gate for gate in gates if gate.get("answer") == NOT_MEASURED and not gate["blocking"]]
        failed = [gate["gate"] for gate in gates if not gate["passed"] and gate not in tolerated]
        champion = section(content, "champion", "version")
        against = f"against version {champion}" if champion is not None else "as first champion"
        return f"{against}; failed: {', '.join(failed)}" if failed else against
    if decision == APPROVED:
        return f"request {content['request']}, {'signed' if content['authenticated'] else 'unauthenticated'}"
    if decision == PROMOTED:
        return f"request {content['request']}"
    back = f"from version {content['from']}" if content["from"] is not None else "from none"
    return f"{back}, restored" if decision == ROLLED_BACK and content.get("restored") else back
