"""Replays a decision of the score log with its model, features and policy, and compares the answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.candidates.portable_model import columns_of
from pipelines.command.verb import ExitCode, Outcome
from pipelines.erasures.record import read_erasures
from pipelines.erasures.salt import Kind
from pipelines.errors import RequestError, ThinfileError
from pipelines.model_store.files import file_findings, hash_as_recorded
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import existing_store
from pipelines.policy.pack import PolicySettings, ReasonSettings
from pipelines.policy.stored_policies import kept_policy
from pipelines.score_log.key import decision_ids
from pipelines.score_log.score_log import Logged, ScoreLog
from pipelines.scoring.reasons import notice
from pipelines.scoring.scorer import Scorer, open_scorer
from pipelines.storage.chain import Entry
from pipelines.storage.workspace import Workspace

ANSWERS = ("raw_score", "pd", "points", "band", "decision", "reasons")
"""The answers of a decision, each derived from those before."""

LAST_PLACES = 4
"""NumPy's exponential function differs by up to so many units in the last place between kinds of processors."""


@dataclass
class Replay:
    """A replayed decision: its answers, and the differences from the log in words, those of rounding apart."""

    policy: PolicySettings | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    differs: list[str] = field(default_factory=list)
    rounding: list[str] = field(default_factory=list)


def replay_decision(workspace: Workspace, decision_id: str) -> Outcome:
    """Repeat a decision of the score log and compare every answer bit for bit; exit code 3 when one differs.

    The PD of an equal raw score may differ in its last digit on another kind of processor: that is called rounding.

    Files that were changed since are named, and the decision is not repeated.

    Raises:
        RequestError: no decision has this id, or its model version was deleted from the registry.
        ThinfileError: a file of the score log or of the model cannot be read.
    """
    logged = ScoreLog(workspace).find(decision_id)
    erased = None if logged is not None else read_erasures(workspace).erased(Kind.decision, decision_id)
    if erased is not None:
        return _erased(decision_id, erased)
    if logged is None:
        raise RequestError(
            f"the score log has no decision '{decision_id}'; the ids are in the "
            f"column decision_id of the files below '{workspace.score_log / 'decisions'}'"
        )
    store = existing_store(workspace, logged.key.model)
    version = store.version(logged.key.model, logged.key.version)
    replay = Replay(differs=_about_row(logged, decision_id) + _about_model(logged, version, store.download(version)))
    try:
        replay.policy = kept_policy(workspace, logged.row["policy_hash"])
    except ThinfileError as error:
        replay.differs.append(f"policy: {error}")
    if replay.policy is not None and not replay.differs:
        _decide_again(replay, logged, open_scorer(store, version, replay.policy))
    return _outcome(logged, replay)


def _erased(decision_id: str, entry: Entry) -> Outcome:
    message = (
        f"ERASED: decision {decision_id} was erased on {entry.written_at[:10]} (entry {entry.sequence} of the "
        "erasures) and cannot be replayed"
    )
    result = {"decision_id": decision_id, "identical": False, "erased": {"entries": [entry.sequence]}}
    return Outcome(result, summary=[message], exit_code=ExitCode.ANSWER_IS_NO)


def _decide_again(replay: Replay, logged: Logged, scorer: Scorer) -> None:
    lacking = sorted({*scorer.numeric, *scorer.categorical} - set(logged.features))
    if lacking:
        replay.differs.append(f"features: the log has no {', '.join(lacking)} for the decision")
        return
    answers, reasons = scorer.decide(columns_of(logged.features, scorer.numeric, scorer.categorical))
    replay.answers = {name: _plain(getattr(answers, name)[0]) for name in ANSWERS[:-1]}
    replay.answers["reasons"] = reasons.words[0] if reasons.words else None
    replay.rounding, differs = _about_answers(logged.row, replay.answers)
    replay.differs += differs


def _about_row(logged: Logged, decision_id: str) -> list[str]:
    """Return where a row contradicts its file in the log or its decision_id."""
    key, row = logged.key, logged.row
    expected = {
        "model": key.model,
        "model_version": key.version,
        "population": key.population.value,
        "period": key.period,
    }
    differs = [
        f"{name}: logged {row[name]}, in a file of {value}" for name, value in expected.items() if row[name] != value
    ]
    if decision_ids(key, row["model_hash"], np.array([row["application_id"]])) != [decision_id]:
        differs.append("decision_id: not the id for this model hash, period and application")
    return [f"{one} ('{logged.file}')" for one in differs]


def _about_model(logged: Logged, version: RegisteredModel, folder: Path) -> list[str]:
    expected = logged.row["model_hash"]
    actual = hash_as_recorded(folder, expected)
    if actual == expected:
        return []
    changed = ", ".join(file_findings(folder)) or "the files are those of another model"
    return [
        f"model: {version.name} version {version.version} has hash {actual[:12]}, logged {expected[:12]}; {changed} "
        f"(in '{folder}')"
    ]


def _about_answers(row: Mapping[str, Any], answers: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the answers that differ by rounding alone, and the others that differ."""
    unequal = [name for name in ANSWERS if repr(row[name]) != repr(answers[name])]  # equal reprs are equal bits
    by_rounding = [name for name in unequal if name == "pd" and _is_rounding(row[name], answers[name])]
    words = {name: f"{name}: logged {row[name]!r}, replayed {answers[name]!r}" for name in unequal}
    return [words[name] for name in by_rounding], [words[name] for name in unequal if name not in by_rounding]


def _is_rounding(logged: float, replayed: float) -> bool:
    return bool(abs(logged - replayed) <= LAST_PLACES * np.spacing(logged))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _outcome(logged: Logged, replay: Replay) -> Outcome:
    row = logged.row
    named = ("decision_id", "application_id", "model", "model_version", "model_hash", "policy_hash", "period")
    result = {name: row[name] for name in named} | {
        "decided_at": row["decided_at"].isoformat(),
        "policy": replay.policy.name if replay.policy else None,
        "logged": {name: row[name] for name in ANSWERS},
        "replayed": replay.answers or None,
        "differs": replay.differs,
        "rounding": replay.rounding,
        "identical": not replay.differs,
    }
    code = ExitCode.ANSWER_IS_NO if replay.differs else ExitCode.DONE
    return Outcome(result, summary=_summary(result, replay), exit_code=code)


def _summary(result: Mapping[str, Any], replay: Replay) -> list[str]:
    logged = result["logged"]
    lines = [
        f"application {result['application_id']}, decided {result['decided_at'][:19]} by {result['model']} version "
        f"{result['model_version']} under policy '{result['policy'] or result['policy_hash'][:12]}'",
        f"  {logged['decision']}: {logged['points']} points ({logged['band']}), probability of default "
        f"{logged['pd']:.2%}",
    ]
    settings = replay.policy.reasons if replay.policy else ReasonSettings()
    lines += [f"  {line}" for line in notice(logged["reasons"], settings)] if logged["reasons"] else []
    if result["identical"]:
        if not result["rounding"]:
            return [*lines, "IDENTICAL: every answer of the replay equals the log, bit for bit"]
        rounding = "; the last digit of an exponential function depends on the processor"
        return [*lines, *(f"  {one}{rounding}" for one in result["rounding"]), "IDENTICAL up to this rounding"]
    return [
        *lines,
        "DIFFERS: the replay does not give the logged answers",
        *(f"  {one}" for one in replay.differs),
    ]
