"""The studies of a model side by side: what each tried, found and registered, and which differences are real."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.compare.against_best import Behind, behind_best
from experiments.experiment.registered_trials import registered_weights
from experiments.search.stored_studies import State, StudyName
from experiments.search.study_summaries import StudySummary
from experiments.search.trial_result import AUCS, COST, FOLDS
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.tags import CV_AUC, PARAMETERS, PARTS, STUDY, TRIAL


def study_rows(
    found: Sequence[StudySummary], versions: Sequence[RegisteredModel], working: set[str]
) -> list[dict[str, Any]]:
    """Return studies as rows, the best search AUC first, those without a finished trial last.

    `working` are the identities of studies that a living worker works on.
    """
    by_study: dict[str, list[RegisteredModel]] = {}
    for version in versions:
        by_study.setdefault(version.tags.get(STUDY, ""), []).append(version)
    ranked = sorted(found, key=lambda one: (one.best is None, -one.best.value if one.best else 0.0, -one.name.row))
    behind = _behind(ranked)
    shown = unique_ids([one.name for one in ranked])
    return [
        {"study": shown[one.name.identity]}
        | _trials(one)
        | _registered(one, by_study.get(one.name.identity, []), one.name.identity in working)
        | behind[one.name.identity]
        for one in ranked
    ]


def requested_trials(versions: Sequence[RegisteredModel]) -> dict[str, set[int]]:
    """Return the numbers of the trials that versions were made from, by the identity of their study."""
    numbers: dict[str, set[int]] = {}
    for version in versions:
        if STUDY in version.tags:
            numbers.setdefault(version.tags[STUDY], set()).update(_weights(version))
    return numbers


def unique_ids(names: Sequence[StudyName]) -> dict[str, str]:
    """Return the id to show of each study: eight characters of its identity, or as many as make it unique."""
    identities = [name.identity for name in names]
    length = next(
        (size for size in range(8, 16) if len({one[:size] for one in identities}) == len(set(identities))), 16
    )
    return {one: one[:length] for one in identities}


def _trials(one: StudySummary) -> dict[str, Any]:
    best = one.best
    return {
        "title": one.name.title,
        "candidate": one.name.candidate or None,
        "trials": {state.value: one.counts.get(state, 0) for state in State if state is not State.WAITING},
        "seconds": one.seconds,
        "best_trial": None if best is None else best.number,
        "best_family": None if best is None else best.family or one.name.candidate or None,
        "cv_auc": None if best is None else best.value,
    }


def _registered(one: StudySummary, versions: Sequence[RegisteredModel], has_worker: bool) -> dict[str, Any]:
    version = best_version(versions)
    cost = None if one.best is None else one.best.notes.get(COST)
    row: dict[str, Any] = {"versions": [model.version for model in versions], "version": None, "test_auc": None}
    row |= {"shrinkage": None, "cost": cost}
    if version is not None:
        measured = search_and_test(version)
        row |= {name: measured[name] for name in ("test_auc", "shrinkage")}
        row |= {"version": version.version, "cost": cost_of(one.notes, version)}
    return row | {"state": _state(one, row["version"], has_worker)}


def best_version(versions: Sequence[RegisteredModel]) -> RegisteredModel | None:
    """Return the version of a study with the highest search AUC, the newest of equals; None without versions."""
    tagged = [version for version in versions if CV_AUC in version.tags]
    return max(tagged, key=lambda model: (float(model.tags[CV_AUC]), model.version), default=None)


def search_and_test(version: RegisteredModel) -> dict[str, float]:
    """Return the AUC of a version in the search and on the test part, and how much it shrank between them."""
    searched = float(version.tags[CV_AUC])
    tested = float(version.evaluation["measures"]["auc"]["value"])
    return {"cv_auc": searched, "test_auc": tested, "shrinkage": searched - tested}


def _state(one: StudySummary, version: int | None, has_worker: bool) -> str:
    if has_worker:
        return "running"
    if version is not None:
        return f"version {version}"
    if not one.counts:
        return "empty"
    return "failed" if set(one.counts) == {State.FAIL} else "stopped"


def _weights(version: RegisteredModel) -> dict[int, float]:
    return registered_weights(version.tags[TRIAL], json.loads(version.tags.get(PARAMETERS, "{}")))


def cost_of(notes: Mapping[int, Mapping[str, Any]], version: RegisteredModel) -> float | None:
    """Return the microseconds per row of a version: those of its trials, by number, times the models of each part."""
    parts = json.loads(version.tags.get(PARTS, "[]"))
    models = [part["models"] for part in parts] or [1]
    costs = [notes.get(number, {}).get(COST) for number in _weights(version)]
    if None in costs or len(costs) != len(models):
        return None
    return float(sum(count * cost for count, cost in zip(models, costs, strict=True)))


def _behind(ranked: Sequence[StudySummary]) -> dict[str, dict[str, Any]]:
    """Return by study how far its best trial is behind that of the best study, where the folds are the same.

    `folds` is `the best` for the best study, `same`, `other` or, where a study has no record of its folds, `unknown`.
    """
    scored = [one for one in ranked if one.best is not None]
    if not scored:
        return {one.name.identity: {"folds": None, "behind": None} for one in ranked}
    first = scored[0]
    folds = {one.name.identity: _folds(first, one) for one in scored}
    same = [one for one in scored if folds[one.name.identity] in ("the best", "same")]
    aucs = {one.name.identity: one.best.notes[AUCS] for one in same if one.best and AUCS in one.best.notes}
    ratio = first.name.notes.get(FOLDS, {}).get("held_out_to_fit")
    differences: Mapping[str, Behind] = (
        behind_best(aucs, first.name.identity, ratio) if ratio and first.name.identity in aucs else {}
    )
    rows = {}
    for one in ranked:
        behind = differences.get(one.name.identity)
        rows[one.name.identity] = {
            "folds": folds.get(one.name.identity),
            "behind": None if behind is None else behind.record(),
        }
    return rows


def _folds(first: StudySummary, one: StudySummary) -> str:
    if one is first:
        return "the best"
    records = [study.name.notes.get(FOLDS) for study in (first, one)]
    if None in records:
        return "unknown"
    return "same" if records[0]["hash"] == records[1]["hash"] else "other"  # type: ignore[index]
