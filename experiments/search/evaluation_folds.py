"""What a study keeps of the folds that its trials are scored on, so that studies on the same folds can be compared."""

import hashlib
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import numpy as np

from experiments.experiment.experiment import Experiment
from pipelines.applications.splits import Fold


def folds_record(experiment: Experiment, folds: Sequence[Fold]) -> dict[str, Any]:
    """Return how many folds there are, the hash of their rows, and how many rows they hold out per row to fit on.

    The hash is equal where the same applications, with the same outcomes, are in the same folds. It is that of the
    split's own folds, which come first; repeats of them follow from these.
    """
    digest = hashlib.sha256("\n".join(experiment.applications.ids[experiment.split.development]).encode())
    digest.update(experiment.development.bad.tobytes())
    for fold in experiment.split.folds:
        digest.update(fold.fit.astype(np.int64).tobytes() + b"|" + fold.held_out.astype(np.int64).tobytes())
    ratio = fmean(len(fold.held_out) / len(fold.fit) for fold in folds)
    return {"number": len(folds), "hash": digest.hexdigest()[:16], "held_out_to_fit": ratio}
