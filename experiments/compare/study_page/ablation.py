"""Feature-group ablation: how much lower the AUC is when a group of features is left out and the rest is refitted."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.compare.study_page.refits import Refits
from experiments.compare.study_page.search_facts import Record
from experiments.experiment.feature_use import Group, use_of
from pipelines.credit.paired_folds import paired_difference

MOST_GROUPS = 10
"""So many groups of features are left out one by one; of more, the least important ones are left out together."""


def ablation(
    refits: Refits, parameters: Mapping[str, Any], full: Sequence[float], importance: Mapping[str, float]
) -> Record:
    """Return what leaving out each group of features costs in AUC, with paired intervals over the folds.

    `full` has the AUCs of the folds with all features. `importance` by feature decides which groups are left out one
    by one where there are many.
    """
    used = [group for group in refits.experiment.groups if parameters.get(use_of(group), 1) > 0]
    if len(used) < 2:
        return {"missing": "the features are one group: each is correlated with the others"}
    ranked = sorted(used, key=lambda group: -sum(importance.get(name, 0.0) for name in group))
    together = ranked[MOST_GROUPS - 1 :] if len(ranked) > MOST_GROUPS else []
    sets = [[group] for group in ranked[: len(ranked) - len(together)]] + ([together] if together else [])
    rows = [_without(refits, parameters, full, groups) for groups in sets]
    return {
        "groups": sorted(rows, key=lambda row: (row["together"] > 1, -row["loss"])),
        "folds": len(full),
        "auc": float(np.mean(full)),
    }


def _without(refits: Refits, parameters: Mapping[str, Any], full: Sequence[float], groups: Sequence[Group]) -> Record:
    features = [name for group in groups for name in group]
    without = dict(parameters) | {use_of(group): 0 for group in groups}
    aucs = refits.aucs(without, refits.folds, f"without {features[0]}")
    paired = paired_difference([one - two for one, two in zip(full, aucs, strict=True)], refits.held_out_to_fit)
    return {
        "features": features,
        "together": len(groups),
        "loss": paired.value,
        "low": paired.low,
        "high": paired.high,
        "p_value": paired.p_value,
    }
