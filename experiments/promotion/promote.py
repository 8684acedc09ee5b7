"""The verb promote: judges a challenger on its test part and records the decision in the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from experiments.document import renew_document
from experiments.evidence.evaluation_set import EvaluationSet, ScoredVersion, evaluation_set_of
from experiments.evidence.evidence import gather
from experiments.evidence.evidence_files import HASH
from experiments.evidence.predictions import Predictions, attach_predictions
from experiments.evidence.timing import attach_timing, measure_timing
from experiments.promotion.actions import apply
from experiments.promotion.data_overrides import data_of_training
from experiments.promotion.earlier_tests import use_of_test_part
from experiments.promotion.gates.gate import GateResult
from experiments.promotion.gates.judgement import check_gate_names, judge, lets_through
from experiments.promotion.ledger import PromotionLedger
from experiments.promotion.policies import exception_of, exception_sentence
from experiments.promotion.settings import PromoteAction, PromoteSettings, carried_along
from pipelines.command.verb import ExitCode, Outcome, carried
from pipelines.credit.loan import LoanContract, recorded_contract
from pipelines.credit.points import points
from pipelines.credit.population import Population
from pipelines.errors import RequestError
from pipelines.ledger.signing import require_signed, signer_of, unsigned_note
from pipelines.model_store.files import PROFILE
from pipelines.model_store.profile import profile_path
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore, existing_store
from pipelines.model_store.tags import CHALLENGER, CHAMPION, MODEL_HASH, POLICY
from pipelines.policy.pack import PolicySettings, check_policy, policy_hash
from pipelines.profiles.development_profile import profile_of
from pipelines.secrets.environment_text import resolved
from pipelines.storage.atomic_files import scratch_folder
from pipelines.storage.chain import Entry
from pipelines.storage.fingerprint import fingerprint_record
from pipelines.storage.workspace import Workspace


def promote(settings: PromoteSettings) -> Outcome:
    """Judge the challenger; it becomes champion at once if it passes and needs no approval.

    Raises:
        RequestError: there is no challenger, its data is not recorded or was changed, or a model does not return the
            probability of bad.
        PromotionConflict: another decision came first.
    """
    requested = request(settings)
    waits = settings.policy.approvals.people > 0
    if requested.exit_code is not ExitCode.DONE or requested.result["decision"] != "requested" or waits:
        return requested
    applied = apply(_about_request(settings, int(str(requested.result["ledger_entry"]))))
    return Outcome(
        dict(requested.result) | dict(applied.result),
        summary=list(dict.fromkeys([*applied.summary, *requested.summary[1:]])),  # both name policy and signers
        next_steps=applied.next_steps,
        exit_code=applied.exit_code,
    )


def request(settings: PromoteSettings) -> Outcome:
    """Judge the challenger and write a request or a refusal into the ledger; the champion stays.

    Raises: see `promote`.
    """
    check_policy(settings.policy)
    check_gate_names(settings.policy)
    workspace = Workspace.at(settings.workspace)
    store = existing_store(workspace, settings.model)
    ledger = PromotionLedger(workspace, store, settings.model)
    signer = signer_of(ledger, settings.key, carried(settings))
    number = ledger.state.champion
    champion = None if number is None else store.version(settings.model, number)
    challenger = _challenger(store, settings)
    if champion is not None and champion.version == challenger.version:
        renew_document(store, settings.model, champion.version, ledger.entries)  # a killed promotion may lack it
        message = f"{challenger.name} version {challenger.version} is the champion already; nothing to decide"
        return Outcome({"decision": "none", "version": challenger.version}, summary=[message])
    exception = exception_of(ledger, challenger, settings.policy, carried(settings))
    if settings.policy.approvals.people and not settings.policy.approvals.requester_may_approve:
        require_signed(ledger, signer, "a request whose maker may not approve it")
    models = settings.policy.models
    scored = ScoredVersion.of(store, challenger, models)
    against = None if champion is None else ScoredVersion.of(store, champion, models)
    evaluation_set = evaluation_set_of(settings, workspace, store, scored.version)
    evidence = gather(evaluation_set, scored, against, settings.policy, workspace)
    evidence |= use_of_test_part(ledger.entries, evidence["about"])
    gates = judge(evidence, settings.policy)
    predictions = Predictions(
        evaluation_set.test.outcomes,
        scored.predict(evaluation_set.test),
        None if against is None else against.predict(evaluation_set.test),
    )
    evidence["predictions"] = predictions.record()
    evidence["about"]["exception"] = exception
    evidence["gates"] = [gate.record() for gate in gates]
    evidence[HASH] = fingerprint_record(evidence)
    timing = measure_timing(scored, evaluation_set.test)
    if lets_through(gates):
        _make_ready(store, scored, evaluation_set, settings.policy)
    attach_predictions(store, challenger, predictions)
    entry = ledger.request(challenger, evidence, settings.why, signer=signer, exception=exception)
    attach_timing(store, challenger, evidence[HASH], timing)
    document = renew_document(store, settings.model, challenger.version, ledger.entries)
    notes = [f"  policy  {settings.policy.name} ({policy_hash(settings.policy)[:12]})"]
    if exception is not None:
        notes = [f"  EXCEPTION  {exception_sentence(exception, settings.policy)}"]
    notes += [*unsigned_note(ledger), *offer_notes(settings.policy, evaluation_set.manifest)]
    data = data_of_training(store, challenger)
    return _outcome(settings, challenger, champion, gates, evidence, entry, document, notes, data)


def offer_notes(policy: PolicySettings, manifest: Mapping[str, Any]) -> list[str]:
    """Return where the offers of a policy are for other loans than those of a model's training table.

    `manifest` is that of a prepared marketplace, empty for other tables, whose loans are not known.
    """
    loan = manifest.get("configuration", {}).get("loan")
    if loan is None:
        return []
    contract, offers, notes = recorded_contract(resolved(loan)), policy.offers, []
    if contract.bad != offers.bad:
        theirs = LoanContract(offers.bad, contract.as_of).definition
        learnt = replace(contract, bad_flag=None).definition
        notes.append(f"policy.offers.bad is {theirs}, and the model's PD is for {learnt}; set it to that of the model")
    if contract.repayment != offers.repayment:
        learnt = f"{contract.repayment.period.value}s, every={contract.repayment.every}"
        notes.append(
            f"policy.offers.repayment is not that of the loan contract ({learnt}); set it and policy.offers.terms"
        )
    return [f"  note    {note} before offers are made" for note in notes]


def _about_request(settings: PromoteSettings, entry: int) -> PromoteSettings:
    return replace(settings, action=PromoteAction.apply, request=entry)


def _challenger(store: ModelStore, settings: PromoteSettings) -> RegisteredModel:
    if settings.version is not None:
        return store.version(settings.model, settings.version)
    challenger = store.aliased(settings.model, CHALLENGER) or store.aliased(settings.model, CHAMPION)
    if challenger is None:
        raise RequestError(
            f"model '{settings.model}' has no challenger; register one with `thinfile tune` or name version=N "
            "(`thinfile compare` lists them)"
        )
    return challenger


def _make_ready(
    store: ModelStore, scored: ScoredVersion, evaluation_set: EvaluationSet, policy: PolicySettings
) -> None:
    """Tag a model with its hash and policy, and add the reference profile that a model from elsewhere lacks."""
    store.tag(scored.version, {MODEL_HASH: scored.predictor.hash, POLICY: policy_hash(policy)})
    if profile_path(store, scored.version) is not None:
        return
    features = scored.read(evaluation_set.test).features
    answers = scored.predictor.probability_of_bad(features)
    scores, numeric = points(answers, policy.scale), scored.predictor.numeric
    profile = profile_of(scores, answers, features, numeric, Population.applications, evaluation_set.test.times)
    with scratch_folder(store.workspace.root) as folder:
        (folder / PROFILE).write_text(profile.to_json())
        store.attach(scored.version, folder)


def _outcome(
    settings: PromoteSettings,
    challenger: RegisteredModel,
    champion: RegisteredModel | None,
    gates: Sequence[GateResult],
    evidence: Mapping[str, Any],
    entry: Entry,
    document: str,
    notes: Sequence[str],
    data: str | None,
) -> Outcome:
    decision = str(entry.content["decision"])
    against = f"against champion version {champion.version}" if champion else "as first champion"
    head = (
        f"{decision.upper()}: {challenger.name} version {challenger.version} {against} (ledger entry {entry.sequence})"
    )
    rows = evidence["about"]["training_rows"]
    unknown = [] if rows == "recorded" else [f"  note    its training rows are {rows}"]
    unknown += [f"  note    the process of {name} was {how}" for name, how in evidence["about"]["isolation"].items()]
    result = {"decision": decision, "version": challenger.version, "ledger_entry": entry.sequence}
    return Outcome(
        result | {"evidence": evidence, "document": document},
        summary=[head, *(f"  {gate.line}" for gate in gates), *unknown, *notes, f"  document: {document}"],
        next_steps=_next(settings, entry, decision, data),
        exit_code=ExitCode.DONE if decision == "requested" else ExitCode.ANSWER_IS_NO,
    )


def _next(settings: PromoteSettings, entry: Entry, decision: str, data: str | None) -> list[str]:
    """Return what may follow a decision; `data` are the overrides of a further search, where they are few."""
    where = carried(settings)
    if decision != "requested":
        return [f"thinfile compare{where}", *([f"thinfile tune {data}{where}"] if data else [])]
    step = "approve" if settings.policy.approvals.people else "apply"
    return [f"thinfile promote {step} request={entry.sequence}{carried_along(settings)}"]
