"""Whether what a model learnt from was known when each application was made: the evidence that the leak gate judges."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.evidence.single_feature import single_feature_auc
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

    `kind` says how it was found:
    - "recomputed", for a marketplace: the features of `gates.leak_sample` sampled applications were computed again from
      the lake cut at their observation time. `differing` says in how many of them a feature is not the same, with one
      of these in `examples`; what cannot be recomputed differs in all, and is named in `not_in_catalogue`.
    - "single_feature", for a flat table: `telling` has the AUC of each feature that alone exceeds
      `gates.most_telling_auc`, but for those that are `waived`.
    - "not possible": nothing could be recomputed, `why` says what to do, and a gate must not pass.
    """
    record: dict[str, Any] = {"kind": SINGLE_FEATURE, "sampled": 0, "differing": {}, "telling": {}, "waived": []}
    record |= {"not_in_catalogue": [], "examples": {}, "why": None}
    if data.source is not Source.marketplace:
        return record | _single_features(development, test, used, gates)
    try:
        return record | {"kind": RECOMPUTED} | _recomputed(data, development, test, used, gates.leak_sample, seed)
    except DataError as error:
        return record | {"kind": NOT_POSSIBLE, "why": str(error)}


def _single_features(
    development: Applications, test: Applications, used: Sequence[str], gates: GateSettings
) -> dict[str, Any]:
    found = single_feature_auc(development, test, used)
    above = {name: value for name, value in found.items() if value > gates.most_telling_auc}
    return {
        "sampled": len(development) + len(test),
        "telling": {name: value for name, value in above.items() if name not in gates.waived},
        "waived": sorted(set(above) & set(gates.waived)),
    }


def _recomputed(
    data: DataSettings, development: Applications, test: Applications, used: Sequence[str], size: int, seed: int
) -> dict[str, Any]:
    lake = lake_beside(data)
    ids = np.concatenate([development.ids, test.ids])
    made_at = np.concatenate([_moments(development), _moments(test)])
    sampled = np.random.default_rng(seed).choice(len(ids), min(size, len(ids)), replace=False)
    learnt = pd.concat([development.features, test.features], ignore_index=True).iloc[sampled]
    found = recompute_features(lake, ids[sampled].tolist()).to_pandas().set_index("application_id")
    made, is_known = found.reindex(ids[sampled]), pd.Index(ids[sampled]).isin(found.index)
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
