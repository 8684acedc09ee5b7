"""The action verify of promote: proves again what the ledger says, from evidence, models, keys and anchors."""

from collections.abc import Iterator, Sequence
from typing import Any

from omegaconf.errors import OmegaConfBaseException

from experiments.document import document_differences
from experiments.evidence.evidence import SCHEMA
from experiments.evidence.evidence_files import (
    REMEDY,
    attached_file,
    document_findings,
    evidence_finding,
    model_findings,
    read_evidence,
)
from experiments.evidence.predictions import prediction_findings
from experiments.promotion.anchor import anchor_findings
from experiments.promotion.earlier_tests import use_findings
from experiments.promotion.gates.judgement import judge, lets_through
from experiments.promotion.settings import PromoteSettings
from pipelines.command.verb import ExitCode, Outcome
from pipelines.errors import ThinfileError
from pipelines.ledger.authority import authority_findings
from pipelines.ledger.ledger import Ledger
from pipelines.ledger.ledger_state import (
    REFUSED,
    REQUESTED,
    whole,
)
from pipelines.ledger.signing import unsigned_note
from pipelines.model_store.files import DOCUMENT
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore, existing_store
from pipelines.policy.stored_policies import policy_from
from pipelines.storage.chain import ChainBroken, Entry
from pipelines.storage.fingerprint import fingerprint_record
from pipelines.storage.workspace import Workspace

JUDGED = ("passed", "value", "blocking", "measured")
"""What of a gate's result is judged again; its words may differ between versions of Thinfile."""


def verify(settings: PromoteSettings) -> Outcome:
    """Compute again what the ledger rests on; exit code 3 with findings.

    Registry, chain and anchor; the files of evidence and models; the figures of gates from the stored predictions; each
    verdict from figures and policy; signatures by the listed keys alone; approvals, exceptions and signers.
    """
    workspace = Workspace.at(settings.workspace)
    store = existing_store(workspace, settings.model)
    try:
        ledger = Ledger(workspace, store, settings.model, allow_disagreement=True)
    except ChainBroken as error:
        return _verdict(settings, 0, [str(error)], [])
    findings = [
        *ledger.disagreements,
        *anchor_findings(ledger, settings.anchor.file),
        *_evidence_findings(store, ledger),
        *_document_findings(store, ledger),
        *authority_findings(ledger),
    ]
    return _verdict(settings, len(ledger.entries), findings, unsigned_note(ledger))


def _verdict(settings: PromoteSettings, entries: int, findings: list[str], notes: list[str]) -> Outcome:
    result = {"model": settings.model, "entries": entries, "findings": findings, "signed": not notes}
    if findings:
        head = f"NOT VERIFIED: {settings.model}, {len(findings)} finding{'s' * (len(findings) > 1)}"
        listed = [f"  {finding}" for finding in findings]
        return Outcome(result, summary=[head, *listed, *notes], exit_code=ExitCode.ANSWER_IS_NO)
    head = f"VERIFIED: {settings.model}, {entries} entries with their evidence and models"
    return Outcome(result, summary=[head, *notes])


def _evidence_findings(store: ModelStore, ledger: Ledger) -> Iterator[str]:
    """Yield what is wrong with the evidence of each request and refusal, and with the files of each champion."""
    versions = {model.version: model for model in store.versions(ledger.model)}
    promoted = {entry.content["request"] for entry in ledger.state.promotions.values()}
    promotion = ledger.state.promotions.get(ledger.state.champion or 0)
    decided = None if promotion is None else promotion.content["request"]
    for entry in ledger.entries:
        if entry.content["decision"] not in (REQUESTED, REFUSED):
            continue
        version = whole(entry.content["version"])
        where, model = f"entry {entry.sequence}, version {version}", versions.get(version)
        if model is None:
            yield f"{where}: the version and its evidence were deleted; restore them from a copy"
            continue
        evidence_hash = str(entry.content["evidence_hash"])
        try:
            finding = evidence_finding(store, model, evidence_hash)
            findings = model_findings(store, model, entry.content) if entry.sequence in promoted else []
            before, is_champion = ledger.entries[: entry.sequence - 1], entry.sequence == decided
            judged = [] if finding else [*_proven_again(store, model, entry, before, is_champion=is_champion)]
        except ThinfileError as error:
            yield f"{where}: {error}"
            continue
        if finding:
            yield f"{where}: {finding}; restore it from a copy"
        yield from (f"{where}: {one}" for one in judged)
        yield from (f"{where}: {one}; restore it from a copy, or roll back" for one in findings)


def _document_findings(store: ModelStore, ledger: Ledger) -> Iterator[str]:
    """Yield what is wrong with the document of each version that was judged, but for the seals of champions."""
    promoted = ledger.state.promotions
    for model in store.versions(ledger.model):
        if model.version not in ledger.state.judgements:
            continue
        evidence_hash = str(ledger.state.judgements[model.version].content["evidence_hash"])
        try:
            is_by_command = "predictions" in read_evidence(store, model, evidence_hash)
            if is_by_command and attached_file(store, model, DOCUMENT) is None:
                yield f"version {model.version}: its {DOCUMENT} is missing; {REMEDY}"
                continue
            seals = [] if model.version in promoted else document_findings(store, model)
            findings = [*seals, *document_differences(store, model, ledger.entries)]
        except ThinfileError:  # of files or evidence, named above
            continue
        except (ValueError, LookupError, TypeError, AttributeError) as error:  # of a record that somebody edited
            reason = str(error).partition("\n")[0]
            findings = [f"its document cannot be compared with its records ({type(error).__name__}: {reason})"]
        yield from (f"version {model.version}: {one}" for one in findings)


def _proven_again(
    store: ModelStore, model: RegisteredModel, entry: Entry, before: Sequence[Entry], *, is_champion: bool
) -> Iterator[str]:
    """Yield where figures, gates and verdict of an entry do not follow from each other; a champion's intervals too."""
    evidence = read_evidence(store, model, str(entry.content["evidence_hash"]))
    yield from _judged_again(entry, evidence)
    yield from use_findings(before, evidence)
    yield from prediction_findings(store, model, evidence, intervals=is_champion)


def _judged_again(entry: Entry, evidence: dict[str, Any]) -> Iterator[str]:
    """Yield where an entry does not say what its evidence says, or a verdict does not follow from the evidence."""
    about, gates = evidence["about"], evidence["gates"]
    said = {"about": about, "gates": gates}
    if entry.content["evidence"] != said or entry.content["policy_hash"] != about["policy_hash"]:
        yield "the entry and its evidence differ; roll back"
    if fingerprint_record(about["policy"]) != about["policy_hash"]:
        yield f"the policy '{about['policy'].get('name')}' in the evidence does not have its hash; roll back"
        return
    failed = any(gate["blocking"] and not gate["passed"] for gate in gates)
    if (entry.content["decision"] == REFUSED) != failed:
        yield f"the decision '{entry.content['decision']}' does not follow from its gates; roll back"
    if evidence["schema"] != SCHEMA or "measures" not in evidence:  # judged by the rules of an earlier version
        return
    try:
        results = judge(evidence, policy_from(about["policy"]))
    except OmegaConfBaseException as error:
        yield f"the policy of the evidence cannot be applied by this version ({str(error).splitlines()[0]})"
        return
    recorded, now = ({one["gate"]: one for one in some} for some in (gates, [one.record() for one in results]))
    for name in recorded.keys() - now.keys():
        yield f"the gate '{name}' is in the entry and not among those of its policy; roll back"
    for name in now.keys() - recorded.keys():
        yield f"the gate '{name}' is among those of its policy and not in the entry; roll back"
    for name in recorded.keys() & now.keys():
        differs = [key for key in JUDGED if recorded[name].get(key, True) != now[name][key]]
        if differs:
            was, is_now = recorded[name].get("answer", recorded[name]["passed"]), now[name]["answer"]
            yield f"the gate '{name}' is '{was}' in the entry and '{is_now}' by evidence and policy; roll back"
    if lets_through(results) == failed:
        yield "the verdict does not follow from evidence and policy; roll back"
