"""The verb promote: a challenger against the champion on applications it has not seen, answered in the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.deciding import apply_request
from experiments.evaluation import evaluate
from experiments.gates import GateResult, absolute_gates, same_test_part_gate, superiority_gate
from experiments.ledger import Ledger
from experiments.settings import PromoteSettings
from experiments.standing import PROMOTED, REFUSED, REQUESTED
from pipelines.applications import Applications, load_applications
from pipelines.atomic import scratch_folder
from pipelines.credit.points import points
from pipelines.errors import RequestError
from pipelines.fingerprint import fingerprint_record
from pipelines.model_store.packaging import PROFILE
from pipelines.model_store.predictor import Predictor, load_predictor
from pipelines.model_store.store import (
    CHALLENGER,
    CHAMPION,
    DATA,
    FITTED_UNTIL,
    MODEL_HASH,
    TEST_PART,
    ModelStore,
    RegisteredModel,
    existing_store,
)
from pipelines.policy import check_policy, plain_policy, policy_hash
from pipelines.reference_profile import profile_of
from pipelines.settings import DataSettings, Population, Source, SplitSettings
from pipelines.splits import split_applications
from pipelines.verb import ExitCode, Outcome, carried
from pipelines.workspace import Workspace


@dataclass(frozen=True)
class Bench:
    """The applications to judge on: the test part of a split, and its hash."""

    test: Applications
    test_part: str


def promote(settings: PromoteSettings) -> Outcome:
    """Make the challenger champion when it passes every gate, or refuse it; either way the ledger says why.

    Raises:
        RequestError: there is no challenger; nothing says what to judge it on, or the data is not what it was made on;
            a model does not answer with the probability of bad.
        ChainConflict: somebody else decided meanwhile.
    """
    check_policy(settings.policy)
    workspace = Workspace.at(settings.workspace)
    store = existing_store(workspace, settings.model)
    ledger = Ledger(workspace, store, settings.model)
    champion = store.aliased(settings.model, CHAMPION)
    challenger = _challenger(store, settings)
    if champion is not None and champion.version == challenger.version:
        told = f"{challenger.name} version {challenger.version} is the champion already; nothing to decide"
        return Outcome({"decision": "none", "version": challenger.version}, summary=[told])
    bench = _bench(settings, store, workspace, challenger)
    predictor = load_predictor(store, challenger)
    probability = _ask(predictor, bench, challenger)
    evaluation = evaluate(bench.test.outcomes, probability, seed=settings.seed)
    gates = absolute_gates(evaluation, settings.policy.gates)
    if champion is not None:
        other = _ask(load_predictor(store, champion), bench, champion)
        gates.append(same_test_part_gate(*_is_comparable(champion, bench)))
        gates.append(superiority_gate(bench.test.outcomes, probability, other, settings.policy.gates))
    _ensure_profile(store, challenger, bench, predictor, points(probability, settings.policy.scale))
    evidence = _evidence(settings, challenger, champion, bench, predictor, evaluation.record(), gates)
    entry, decision = ledger.request(challenger, evidence, settings.why), REFUSED
    if entry.content["decision"] == REQUESTED:
        entry, decision = apply_request(store, ledger, entry, settings), PROMOTED
    return _outcome(settings, decision, challenger, champion, gates, evidence, entry.sequence)


def _challenger(store: ModelStore, settings: PromoteSettings) -> RegisteredModel:
    if settings.version is not None:
        return store.version(settings.model, settings.version)
    found = store.aliased(settings.model, CHALLENGER) or store.aliased(settings.model, CHAMPION)
    if found is None:
        raise RequestError(
            f"model '{settings.model}' has no challenger; register one with `thinfile tune` or name version=N "
            "(`thinfile compare` lists them)"
        )
    return found


def _bench(settings: PromoteSettings, store: ModelStore, workspace: Workspace, challenger: RegisteredModel) -> Bench:
    """Return the test part: that of the challenger's record, or of the data that the user names."""
    data, split_settings, seed = settings.data, settings.split, settings.seed
    if data is None:
        record = store.read_record(challenger.run_id) if TEST_PART in challenger.tags else None
        if record is None:
            raise RequestError(
                f"{challenger.name} version {challenger.version} was trained elsewhere and has no record of its data; "
                "say what to judge it on: data=table data.path=FILE data.label=COLUMN ..."
            )
        data = DataSettings(**record["data"] | {"source": Source(record["data"]["source"])})
        split_settings, seed = SplitSettings(**record["split"]), int(record["seed"])
    applications = load_applications(data, workspace)
    split = split_applications(applications, split_settings, seed=seed)
    for tag, found, name in ((DATA, applications.fingerprint, "data"), (TEST_PART, split.test_part, "test part")):
        expected = challenger.tags.get(tag, found)
        if found != expected:
            raise RequestError(
                f"a challenger is judged on the {name} it was tested on, {challenger.name} version "
                f"{challenger.version} was tested on {expected[:12]}, received {found[:12]}; use the data, split and "
                "seed of its study, or tune again on the new data"
            )
    return Bench(applications.take(split.test), split.test_part)


def _ask(predictor: Predictor, bench: Bench, model: RegisteredModel) -> NDArray[np.float64]:
    """Return a model's probabilities on the test part, or say which columns it lacks."""
    roles = bench.test.roles
    title = f"{model.name} version {model.version}"
    for kind, wanted, known in (
        ("numeric", predictor.numeric, roles.numeric),
        ("categorical", predictor.categorical, roles.categorical),
    ):
        lacking = sorted(set(wanted) - set(known))
        if lacking:
            raise RequestError(
                f"{title} needs {kind} columns that the data does not have: {', '.join(lacking)}; "
                f"declare them in data.{kind} or judge on other data"
            )
    return predictor.probability_of_bad(bench.test.features)


def _is_comparable(champion: RegisteredModel, bench: Bench) -> tuple[bool, str]:
    """Return whether the champion cannot have learnt from the test part, as far as its record tells, and how we know.

    A champion from elsewhere has no record; had it seen these applications, the challenger's task would only be harder.
    """
    known, until, times = champion.tags.get(TEST_PART), champion.tags.get(FITTED_UNTIL), bench.test.times
    if known is None:
        return (
            True,
            "not verified: the champion's training rows are unknown to us; seeing these could only help it",
        )
    if known == bench.test_part:
        return True, "the test part is the champion's own"
    if until is not None and times is not None and bool(times.min() > np.datetime64(until)):
        return True, f"the test part is later than all the champion learnt from (until {until})"
    return False, (
        "the champion was built on another split and may have learnt from these applications; "
        "run `thinfile tune` for both on the same data, split and seed"
    )


def _ensure_profile(
    store: ModelStore,
    challenger: RegisteredModel,
    bench: Bench,
    predictor: Predictor,
    whole_points: NDArray[np.int64],
) -> None:
    """Give a model from elsewhere the reference profile that its monitoring needs."""
    if (store.download(challenger) / PROFILE).exists():
        return
    features = bench.test.features[[*predictor.numeric, *predictor.categorical]]
    profile = profile_of(whole_points, features, predictor.numeric, Population.applications)
    with scratch_folder(store.workspace.root) as folder:
        (folder / PROFILE).write_text(profile.to_json())
        store.attach(challenger, folder)


def _evidence(
    settings: PromoteSettings,
    challenger: RegisteredModel,
    champion: RegisteredModel | None,
    bench: Bench,
    predictor: Predictor,
    evaluation: dict[str, Any],
    gates: Sequence[GateResult],
) -> dict[str, Any]:
    about = {
        "model": challenger.name,
        "version": challenger.version,
        "model_hash": predictor.hash,
        "champion": {"version": champion.version, "model_hash": champion.tags.get(MODEL_HASH)} if champion else None,
        "data": bench.test.fingerprint,
        "test_part": bench.test_part,
        "training_rows": "recorded" if TEST_PART in challenger.tags else "unknown: trained elsewhere",
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "policy": plain_policy(settings.policy),
        "policy_hash": policy_hash(settings.policy),
    }
    gates_record = [gate.record() | {"blocking": True} for gate in gates]
    evidence = {"about": about, "measures": evaluation, "gates": gates_record}
    return evidence | {"evidence_hash": fingerprint_record(evidence)}


def _outcome(
    settings: PromoteSettings,
    decision: str,
    challenger: RegisteredModel,
    champion: RegisteredModel | None,
    gates: Sequence[GateResult],
    evidence: dict[str, Any],
    entry: int,
) -> Outcome:
    against = f"against champion version {champion.version}" if champion else "as first champion"
    head = f"{decision.upper()}: {challenger.name} version {challenger.version} {against} (ledger entry {entry})"
    marks = [f"  {'passed' if gate.passed else 'FAILED'}  {gate.gate}: {gate.sentence}" for gate in gates]
    unknown = (
        []
        if evidence["about"]["training_rows"] == "recorded"
        else ["  note    the rows it was trained on are unknown to us"]
    )
    promoted = decision == PROMOTED
    return Outcome(
        {"decision": decision, "version": challenger.version, "ledger_entry": entry, "evidence": evidence},
        summary=[head, *marks, *unknown],
        next_steps=[f"thinfile score data=table data.path=FILE period=YYYY-MM{carried(settings)}"] if promoted else [],
        exit_code=ExitCode.DONE if promoted else ExitCode.ANSWER_IS_NO,
    )
