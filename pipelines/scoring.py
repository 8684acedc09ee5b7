"""The verb score: the champion answers for a table of applications, and the answers go to the score log."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.applications import Applications, load_applications
from pipelines.credit.points import bands, points
from pipelines.errors import DataError
from pipelines.fingerprint import fingerprint_record
from pipelines.model_store.predictor import Predictor, load_predictor
from pipelines.model_store.store import existing_store
from pipelines.policy import PolicySettings, check_policy, policy_hash
from pipelines.score_log import LogKey, ScoreLog, check_period, decision_table
from pipelines.settings import ScoreSettings
from pipelines.verb import Outcome, carried
from pipelines.workspace import Workspace

APPROVED, DECLINED = "approved", "declined"


@dataclass(frozen=True)
class Scores:
    """Answers for n applications: raw log-odds, probability of default, points, band, decision."""

    raw_score: NDArray[np.float64]
    pd: NDArray[np.float64]
    points: NDArray[np.int64]
    band: NDArray[np.str_]
    decision: NDArray[np.str_]


def score(settings: ScoreSettings) -> Outcome:
    """Score a table with the champion into the log; what is logged for the period already stays as it is.

    Raises:
        RequestError: no champion, a period that is not a month, or a policy that cannot rank.
        DataError: the table breaks its contract or lacks a column of the model.
    """
    check_period(settings.period)
    check_policy(settings.policy)
    workspace = Workspace.at(settings.workspace)
    store = existing_store(workspace, settings.model)
    champion = store.require_champion(settings.model)
    predictor = load_predictor(store, champion)
    data = replace(settings.data, numeric=predictor.numeric, categorical=predictor.categorical, infer=False)
    applications = load_applications(data, workspace, labelled=False)
    key = LogKey(settings.model, champion.version, settings.population, settings.period)
    log = ScoreLog(workspace)
    with log.locked(key):
        new = _not_logged(applications, log.decisions(key))
        scores = score_applications(predictor, new, settings.policy)
        if len(new):
            _log(log, key, predictor, new, scores, settings.policy)
    return _outcome(settings, key, applications, scores)


def _not_logged(applications: Applications, logged: pd.DataFrame) -> Applications:
    """Return the applications that the log does not hold. Raises DataError for a table logged under other ids."""
    is_known = np.isin(applications.ids, logged["application_id"].to_numpy(dtype=str))
    if not is_known.any() and (logged["input_fingerprint"] == applications.fingerprint).any():
        raise DataError(
            "an application is logged once, this very table is logged for the period under other ids; name the "
            "data.id that it was scored with"
        )
    return applications.take(np.flatnonzero(~is_known))


def score_applications(predictor: Predictor, applications: Applications, policy: PolicySettings) -> Scores:
    """Return the model's answers and what the policy makes of them."""
    raw = predictor.log_odds(applications.features)
    probability = predictor.probability_of_bad(applications.features)
    whole = points(probability, policy.scale)
    decision = np.where(whole >= policy.approve_from, APPROVED, DECLINED)
    return Scores(raw, probability, whole, bands(whole, policy.bands, policy.scale), decision)


def _log(
    log: ScoreLog, key: LogKey, predictor: Predictor, new: Applications, scores: Scores, policy: PolicySettings
) -> None:
    table = decision_table(
        key,
        predictor.hash,
        policy_hash(policy),
        new.fingerprint,
        {"application_id": new.ids, **{name: getattr(scores, name) for name in vars(scores)}},
    )
    # Named by its decisions: another part of the same table is another partition, the same part run again is the same.
    partition = fingerprint_record(sorted(table["decision_id"].to_pylist()))[:16]
    log.append(key, f"{new.fingerprint[:16]}-{partition}", table, new.features, new.protected)


def _outcome(settings: ScoreSettings, key: LogKey, applications: Applications, scores: Scores) -> Outcome:
    quarantined = sum(applications.quarantined.values())
    approved = int((scores.decision == APPROVED).sum())
    result = {
        "model": key.model,
        "version": key.version,
        "population": key.population.value,
        "period": key.period,
        "rows_in": len(applications) + quarantined,
        "scored": len(scores.pd),
        "already_logged": len(applications) - len(scores.pd),
        "quarantined": applications.quarantined,
        "approved": approved,
        "mean_pd": float(scores.pd.mean()) if len(scores.pd) else None,
        "score_log": str(Workspace.at(settings.workspace).score_log),
    }
    return Outcome(
        result, summary=_summary(result), next_steps=[f"thinfile watch period={key.period}{carried(settings)}"]
    )


def _summary(result: dict[str, object]) -> list[str]:
    lines = [
        f"{result['model']} version {result['version']} scored {result['scored']:,} of {result['rows_in']:,} "
        f"applications for {result['period']} ({result['already_logged']:,} were logged already)"
    ]
    if result["mean_pd"] is not None:
        lines.append(f"  {result['approved']:,} approved; mean probability of default {result['mean_pd']:.1%}")
    quarantined = result["quarantined"]
    assert isinstance(quarantined, dict)
    lines += [f"  quarantined {rows:,} rows: {rule}" for rule, rows in quarantined.items()]
    return [*lines, f"  score log: {result['score_log']}"]
