"""Which columns and features a version does without, and why."""

from collections.abc import Iterator, Mapping
from typing import Any

from experiments.evidence.evaluation_set import EvaluationSet, ScoredVersion
from experiments.evidence.ignored_columns import leaks_in_ignored
from pipelines.applications.roles import Roles
from pipelines.policy.pack import GateSettings

IDENTIFIER, TIME, OUTCOME, DECISION, GROUP = "identifier", "time", "outcome", "earlier decision", "group of rows"

ROLES = {
    "id": IDENTIFIER,
    "customer": IDENTIFIER,
    "time": TIME,
    "outcome_known_at": TIME,
    "label": OUTCOME,
    "status": OUTCOME,
    "decision": DECISION,
    "by_lot": DECISION,
    "group": GROUP,
}
"""What the columns of a role are, none of which is a feature."""


def left_out(
    scored: ScoredVersion,
    evaluation_set: EvaluationSet,
    features: Mapping[str, Any],
    leak: Mapping[str, Any],
    gates: GateSettings,
) -> list[dict[str, str]]:
    """Return why each column of the table that is no feature, or that the model does not use, is left out.

    `features` are the measures of the features, `leak` the evidence on leaks.
    """
    roles, used = evaluation_set.applications.roles, set(scored.features)
    reasons = dict(_columns(roles))
    reasons |= {
        name: "not a feature of this version" for name in (*roles.numeric, *roles.categorical) if name not in used
    }
    if evaluation_set.study is not None:
        reasons |= dict(_of_settings(evaluation_set, used))
    for name, why in (leak.get("findings") or {}).items():
        if name not in used:
            reasons[name] = f"possible leak: {', '.join(why)}"
    for name, why in leaks_in_ignored(evaluation_set, gates.most_telling_auc).items():
        reasons[name] = f"left out by data.ignored; possible leak: {why}"
    reasons |= dict(_unused(features))
    return [{"column": name, "why": why} for name, why in sorted(reasons.items())]


def _columns(roles: Roles) -> Iterator[tuple[str, str]]:
    yield from roles.left_out.items()
    yield from ((name, "left out by data.ignored") for name in roles.ignored)
    yield from ((name, "protected attribute") for name in roles.protected)
    for role, what in ROLES.items():
        column = getattr(roles, role)
        if column is not None:
            yield column, what


def _of_settings(evaluation_set: EvaluationSet, used: set[str]) -> Iterator[tuple[str, str]]:
    study, roles = evaluation_set.study, evaluation_set.applications.roles
    assert study is not None
    for name in (*roles.numeric, *roles.categorical):
        group = roles.meanings[name].group if name in roles.meanings else name
        listed = {name, group}.intersection(study.leave_out)
        if listed and name not in used:
            yield name, f"left out by leave_out={','.join(sorted(listed))}"


def _unused(measures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for one in measures.get("features", ()):
        if not one["importance"]:
            information = f"information value {one['information_value']:.3f}"
            yield one["feature"], f"among the features and not used by the model ({information})"
