"""Evidence on leaks: whether the features of a model were known when each application was made."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.evidence.leak_rules import find_leaks
from pipelines.applications.applications import Applications
from pipelines.applications.contract import as_text
from pipelines.applications.settings import DataSettings, Source
from pipelines.errors import DataError
from pipelines.marketplace.lake_cut import recompute_features
from pipelines.marketplace.manifest import lake_beside
from pipelines.policy.pack import GateSettings

RECOMPUTED, SINGLE_FEATURE, NOT_POSSIBLE = "recomputed", "single_feature", "not possible"


def leak_evidence(
    data: DataSettings,
    development: Applications,
    test: Applications,
    used: Sequence[str],
    gates: GateSettings,
    *,
    seed: int,
) -> dict[str, Any]:
    """Return the evidence on leaks in the features that a model uses, as JSON values.

    `kind` is how leaks were looked for:
    - "recomputed", for a marketplace: the features of `gates.leak_sample` sampled applications were computed again from
      the lake cut at their observation time, which proves them point in time. `differing` counts the applications in
      which a feature differs, with one of these in `examples`; a feature that cannot be recomputed differs in all, and
      is in `not_in_catalogue`.
    - "single_feature", for a flat table: `findings` has the reasons against each feature or column of dates (see
      `find_leaks`), `telling` the AUC of each feature that alone exceeds `gates.most_telling_auc`; both without those
      that are `waived`. `checked` and `unchecked` name the checks.
    - "not possible": nothing could be recomputed, and `why` has the remedy.
    """
    record: dict[str, Any] = {"kind": SINGLE_FEATURE, "sampled": 0, "differing": {}, "telling": {}, "waived": []}
    record |= {"not_in_catalogue": [], "examples": {}, "why": None, "findings": {}, "checked": [], "unchecked": []}
    if data.source is not Source.marketplace:
        return record | _by_rules(development, test, used, gates)
    try:
        return record | {"kind": RECOMPUTED} | _recomputed(data, development, test, used, gates.leak_sample, seed)
    except DataError as error:
        return record | {"kind": NOT_POSSIBLE, "why": str(error)}


def early_leak_warnings(data: DataSettings, development: Applications, gates: GateSettings) -> list[str]:
    """Return a warning for each finding in the development part; the features of a marketplace are proven at promotion.

    Codes are learnt in the first two thirds of the rows and judged on the others, in the order of time where there is
    one.
    """
    if data.source is Source.marketplace:
        return []
    rows = np.arange(len(development))
    order = np.random.default_rng(0).permutation(rows) if development.times is None else np.argsort(development.times)
    learnt, judged = (development.take(np.sort(part)) for part in np.split(order, [2 * len(rows) // 3]))
    if min(len(np.unique(part.outcomes)) for part in (learnt, judged)) < 2:
        return []
    used = [*development.roles.numeric, *development.roles.categorical]
    findings = find_leaks(learnt, judged, used, gates.most_telling_auc).reasons
    remedy = "leave it out (data.ignored) if it was not known at the application, or promote will refuse it"
    return [
        f"possible leak: {name} ({', '.join(reasons)}); {remedy}"
        for name, reasons in findings.items()
        if name not in gates.waived
    ]


def _by_rules(
    development: Applications, test: Applications, used: Sequence[str], gates: GateSettings
) -> dict[str, Any]:
    findings = find_leaks(development, test, used, gates.most_telling_auc)
    waived = set(gates.waived)
    return {
        "sampled": len(development) + len(test),
        "telling": {name: value for name, value in findings.auc.items() if name not in waived},
        "findings": {name: reasons for name, reasons in findings.reasons.items() if name not in waived},
        "waived": sorted(waived & set(findings.reasons)),
        "checked": findings.checked,
        "unchecked": findings.unchecked,
    }


def _recomputed(
    data: DataSettings, development: Applications, test: Applications, used: Sequence[str], size: int, seed: int
) -> dict[str, Any]:
    lake = lake_beside(data)
    ids = np.concatenate([development.ids, test.ids])
    made_at = np.concatenate([_moments(development), _moments(test)])
    sampled = np.random.default_rng(seed).choice(len(ids), min(size, len(ids)), replace=False)
    learnt = pd.concat([development.features, test.features], ignore_index=True).iloc[sampled]
    recomputed = recompute_features(lake, ids[sampled].tolist()).to_pandas().set_index("application_id")
    made, is_known = recomputed.reindex(ids[sampled]), pd.Index(ids[sampled]).isin(recomputed.index)
    rows = {
        name: np.flatnonzero(~is_known | _differ(learnt[name], made[name], name in development.roles.numeric))
        for name in used
        if name in made
    }
    outside = sorted(set(used) - set(rows))
    return {
        "sampled": len(sampled),
        "differing": {name: len(places) for name, places in rows.items() if len(places)}
        | dict.fromkeys(outside, len(sampled)),
        "not_in_catalogue": outside,
        "examples": {
            name: f"{learnt[name].iloc[places[0]]} where {made[name].iloc[places[0]]} was known, application of "
            f"{made_at[sampled][places[0]]}"  # not its id: evidence is kept for ever, people may be erased
            for name, places in rows.items()
            if len(places)
        },
    }


def _moments(applications: Applications) -> NDArray[np.str_]:
    times = applications.times
    return np.datetime_as_string(times, unit="s") if times is not None else np.full(len(applications), "unknown time")


def _differ(learnt: "pd.Series[Any]", made: "pd.Series[Any]", is_number: bool) -> NDArray[np.bool_]:
    """Return in which rows two columns are not the same to the last bit; missing is missing."""
    if not is_number:
        return np.asarray(as_text(learnt).to_numpy() != as_text(made).to_numpy())
    one, other = (column.to_numpy(np.float64) for column in (learnt, made))
    return np.asarray(~((one == other) | (np.isnan(one) & np.isnan(other))))
