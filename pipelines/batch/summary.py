"""The outcome of the verb score: counts for scripts, a few lines for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.batch.settings import ScoreSettings
from pipelines.batch.unknown_levels import WARNED_FROM
from pipelines.command.verb import Outcome, carried
from pipelines.credit.population import Population
from pipelines.ledger.policy import is_policy_of_promotion
from pipelines.score_log.columns import SHADOW
from pipelines.score_log.key import LogKey
from pipelines.scoring.scorer import APPROVED, DECISIONS, DECLINED, REFERRED
from pipelines.secrets.environment_text import to_record
from pipelines.storage.workspace import Workspace

MOST_REASONS = 3
"""How many of the most frequent reasons the summary names."""


@dataclass(frozen=True)
class Counts:
    """What became of the rows of an input; `decisions`, `reasons` and `mean_pd` are those of what was scored now.

    `versions` are the other versions that have decisions of the period. `unknown` counts, by column, those of the
    `all_scored` rows whose level the model does not know.
    """

    rows_in: int
    other_periods: int
    scored: int
    already_logged: int
    other_versions: int
    versions: Sequence[int]
    erased: int
    quarantined: Mapping[str, int]
    decisions: Mapping[str, int]
    reasons: Mapping[str, int]
    unknown: Mapping[str, int]
    unknown_examples: Mapping[str, Sequence[str]]
    all_scored: int
    mean_pd: float | None
    with_reasons: bool


def outcome_of(settings: ScoreSettings, key: LogKey, counts: Counts) -> Outcome:
    """Return the outcome of the verb."""
    workspace = Workspace.at(settings.workspace)
    result = {
        "model": key.model,
        "version": key.version,
        "role": key.role,
        "population": key.population.value,
        "period": key.period,
        "rows_in": counts.rows_in,
        "other_periods": counts.other_periods,
        "scored": counts.scored,
        "already_logged": counts.already_logged,
        "decided_by_other_versions": counts.other_versions,
        "erased": counts.erased,
        "quarantined": dict(counts.quarantined),
        **{name: counts.decisions.get(name, 0) for name in DECISIONS},
        "reasons": dict(counts.reasons),
        "unknown_levels": dict(counts.unknown),
        "policy": settings.policy.name,
        "is_policy_of_promotion": is_policy_of_promotion(workspace, key.model, settings.policy),
        "mean_pd": counts.mean_pd,
        "score_log": str(workspace.score_log),
        "decisions_to": None if settings.decisions_to is None else to_record(settings.decisions_to),
    }
    summary = _summary(result, counts)
    is_watched = key.population is Population.applications  # what a reference profile is taken of
    has_decided = counts.scored or counts.already_logged or not counts.versions
    version = "" if has_decided else f" version={counts.versions[-1]}"
    version = f" version={key.version}" if key.role == SHADOW else version
    watch = f"thinfile watch period={key.period}{carried(settings)}{version}"
    return Outcome(result, summary, [watch] if is_watched else [])


def _summary(result: Mapping[str, Any], counts: Counts) -> list[str]:
    who = "applications" if result["population"] == Population.applications.value else "customers"
    is_shadow = result["role"] == SHADOW
    lines = [
        f"{'SHADOW, no decision: ' if is_shadow else ''}{result['model']} version {result['version']} scored "
        f"{result['scored']:,} of {result['rows_in']:,} {who} for {result['period']} "
        f"({result['already_logged']:,} were logged already)"
    ]
    if counts.other_versions:
        versions = " and ".join(f"version {number}" for number in counts.versions)
        lines.append(f"  {counts.other_versions:,} keep the decision that {versions} made for {result['period']}")
    if result["other_periods"]:
        lines.append(f"  {result['other_periods']:,} {who} of other months were left out")
    if result["erased"]:
        lines.append(f"  {result['erased']:,} rows of people who were erased were left out")
    if result["mean_pd"] is not None:
        decided = ", ".join(f"{result[name]:,} {name}" for name in (APPROVED, DECLINED, REFERRED) if result[name])
        would = "it would have " if is_shadow else ""
        lines.append(f"  {would}{decided}; mean probability of default {result['mean_pd']:.1%}")
        lines += _about_reasons(result) if counts.with_reasons else []
    lines += _about_unknown(counts)
    promoted = "that of its promotion" if result["is_policy_of_promotion"] else "not that of its promotion"
    lines.append(f"  policy: {result['policy']}{'' if is_shadow else f', {promoted}'}")
    lines += [f"  quarantined {rows:,} rows: {rule}" for rule, rows in result["quarantined"].items()]
    copies = [] if result["decisions_to"] is None else [f"  copies of the decisions: {result['decisions_to']}"]
    return [*lines, f"  score log: {result['score_log']}", *copies]


def _about_unknown(counts: Counts) -> list[str]:
    """Return a warning for each column of which the model does not know many values."""
    return [
        f"  warning: the model does not know {rows / counts.all_scored:.0%} of the values of '{name}' (such as "
        f"'{counts.unknown_examples[name][0]}'); check how they are written"
        for name, rows in counts.unknown.items()
        if rows >= WARNED_FROM * counts.all_scored
    ]


def _about_reasons(result: Mapping[str, Any]) -> list[str]:
    """Return the most frequent reasons with their shares of all reasons given, or a note that the model gives none."""
    others = result[DECLINED] + result[REFERRED]
    if not others:
        return []
    if not result["reasons"]:
        return ["  no reasons: the model does not explain its score"]
    frequent, given = list(result["reasons"].items())[:MOST_REASONS], sum(result["reasons"].values())
    named = ", ".join(f"{group.replace('_', ' ')} ({times / given:.0%})" for group, times in frequent)
    return [f"  most frequent of the {given:,} reasons given: {named}"]
