"""The verb score: the champion answers for a table of applications, and the answers go to the score log."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.applications import Applications, load_applications
from pipelines.candidates import served
from pipelines.fingerprint import fingerprint_record
from pipelines.kept_policies import keep_policy
from pipelines.model_store.store import POLICY, RegisteredModel, existing_store
from pipelines.policy import check_policy, policy_hash
from pipelines.score_log import LogKey, ScoreLog, check_period, decision_table
from pipelines.scoring import APPROVED, DECLINED, REFERRED, Scorer, open_scorer
from pipelines.settings import ScoreSettings
from pipelines.unscored import all_who_asked, not_logged, of_period
from pipelines.verb import Outcome, carried
from pipelines.workspace import Workspace

REASONS_TOLD = 3
"""The summary names so many of the most frequent reasons."""


@dataclass(frozen=True)
class Scores:
    """Answers for n applications: raw log-odds, probability of default, points, band, decision, reasons.

    The approved have no reasons: None. `groups` counts the groups of features among all reasons.
    """

    raw_score: NDArray[np.float64]
    pd: NDArray[np.float64]
    points: NDArray[np.int64]
    band: NDArray[np.str_]
    decision: NDArray[np.str_]
    reasons: Sequence[list[str] | None]
    groups: Counter[str]


def score(settings: ScoreSettings) -> Outcome:
    """Score a table with the champion into the log; what is logged for the period already stays as it is.

    Raises:
        RequestError: no champion, a period that is not a month, or a policy that cannot rank.
        DataError: the table breaks its contract, lacks a column of the model, has times and none of the period, or has
            no ids and holds rows that are logged.
    """
    check_period(settings.period)
    check_policy(settings.policy)
    workspace = Workspace.at(settings.workspace)
    store = existing_store(workspace, settings.model)
    champion = store.require_champion(settings.model)
    scorer = open_scorer(store, champion, settings.policy)
    asked = replace(settings.data, path=all_who_asked(settings.data))
    data = replace(asked, numeric=scorer.numeric, categorical=scorer.categorical, infer=False)
    everyone = load_applications(data, workspace, labelled=False)
    applications = of_period(everyone, settings.period)
    key = LogKey(settings.model, champion.version, settings.population, settings.period)
    log = ScoreLog(workspace)
    with log.locked(key):
        new = not_logged(applications, log, key)
        scores = score_features(scorer, new.features)
        if len(new):
            _log(log, key, scorer.hash, new, scores, keep_policy(workspace, settings.policy))
    return _outcome(settings, key, champion, everyone, applications, scores)


def score_features(scorer: Scorer, features: pd.DataFrame) -> Scores:
    """Return the scorer's answers, and the reasons of what is not approved."""
    columns = served.columns_of(features, scorer.numeric, scorer.categorical)
    answers = scorer.answer(columns)
    found = scorer.reasons(columns, answers.unapproved)
    reasons: list[list[str] | None] = [None] * len(features)
    for row, words in zip(answers.unapproved.tolist(), found.words, strict=True):
        reasons[row] = words
    groups = Counter(group for some in found.groups for group in some)
    return Scores(answers.raw_score, answers.pd, answers.points, answers.band, answers.decision, reasons, groups)


def _log(log: ScoreLog, key: LogKey, model_hash: str, new: Applications, scores: Scores, found_policy: str) -> None:
    table = decision_table(
        key,
        model_hash,
        found_policy,
        new.fingerprint,
        {"application_id": new.ids, **{name: getattr(scores, name) for name in vars(scores)}},
    )
    # Named by its decisions: another part of the same table is another partition, the same part run again is the same.
    partition = fingerprint_record(sorted(table["decision_id"].to_pylist()))[:16]
    log.append(key, f"{new.fingerprint[:16]}-{partition}", table, new.features, new.protected)


def _outcome(
    settings: ScoreSettings,
    key: LogKey,
    champion: RegisteredModel,
    everyone: Applications,
    applications: Applications,
    scores: Scores,
) -> Outcome:
    quarantined = sum(applications.quarantined.values())
    decided = {name: int((scores.decision == name).sum()) for name in (APPROVED, DECLINED, REFERRED)}
    result = {
        "model": key.model,
        "version": key.version,
        "population": key.population.value,
        "period": key.period,
        "rows_in": len(everyone) + quarantined,
        "other_periods": len(everyone) - len(applications),
        "scored": len(scores.pd),
        "already_logged": len(applications) - len(scores.pd),
        "quarantined": applications.quarantined,
        **decided,
        "reasons": dict(scores.groups.most_common()),
        "policy": settings.policy.name,
        "is_policy_of_promotion": champion.tags.get(POLICY, policy_hash(settings.policy))
        == policy_hash(settings.policy),
        "mean_pd": float(scores.pd.mean()) if len(scores.pd) else None,
        "score_log": str(Workspace.at(settings.workspace).score_log),
    }
    return Outcome(
        result, summary=_summary(result), next_steps=[f"thinfile watch period={key.period}{carried(settings)}"]
    )


def _summary(result: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{result['model']} version {result['version']} scored {result['scored']:,} of {result['rows_in']:,} "
        f"applications for {result['period']} ({result['already_logged']:,} were logged already)"
    ]
    if result["other_periods"]:
        lines.append(f"  {result['other_periods']:,} applications of other months were left out")
    if result["mean_pd"] is not None:
        decided = ", ".join(f"{result[name]:,} {name}" for name in (APPROVED, DECLINED, REFERRED) if result[name])
        lines.append(f"  {decided}; mean probability of default {result['mean_pd']:.1%}")
        lines += _about_reasons(result)
    if not result["is_policy_of_promotion"]:
        lines.append(f"  note: policy '{result['policy']}' is not the one that this version was promoted under")
    lines += [f"  quarantined {rows:,} rows: {rule}" for rule, rows in result["quarantined"].items()]
    return [*lines, f"  score log: {result['score_log']}"]


def _about_reasons(result: Mapping[str, Any]) -> list[str]:
    """Return the most frequent reasons, or that the model tells none."""
    others = result[DECLINED] + result[REFERRED]
    if not others:
        return []
    if not result["reasons"]:
        return ["  no reasons: the model does not tell what its score is made of"]
    frequent = list(result["reasons"].items())[:REASONS_TOLD]
    told = ", ".join(f"{group.replace('_', ' ')} ({times / others:.0%})" for group, times in frequent)
    return [f"  most frequent reasons: {told}"]
