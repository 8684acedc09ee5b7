"""The objective of a fair search: AUC and the gap in approval rates between groups, on held-out rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.experiment.experiment import Experiment
from experiments.experiment.feature_use import Group, Parameters, use_of
from experiments.search.trial_result import AUCS, ObjectiveValue, TrialResult
from pipelines.applications.protected_groups import protected_groups
from pipelines.candidates.calibration_map import fit_calibration
from pipelines.candidates.portable_model import Columns, calibrate
from pipelines.credit.approval_gap import approval_rates, approved_at_rate, widest_gap
from pipelines.credit.discrimination import auc
from pipelines.credit.points import points
from pipelines.errors import ConfigurationError

Floats = NDArray[np.float64]

RATES = "rates"
"""Name of a trial's note with the approval rates by group."""

LOWEST_RATE, HIGHEST_RATE = 0.02, 0.98
"""Beyond these approval rates no gap can show."""

NO_MODEL = ObjectiveValue(0.0, 1.0, {RATES: {}})
"""Value of a design without features: it treats everyone alike and is not an alternative."""


@dataclass(frozen=True)
class FairnessObjective:
    """Compares designs at one overall approval rate: the safest `rate` of each fold are approved.

    At a cut-off in points a weak model could approve everyone and look fair; at a fixed rate all designs approve the
    same number. `levels` is the protected group of each application of the development part.
    """

    experiment: Experiment
    levels: NDArray[np.object_]
    rate: float

    def answer(self, parameters: Parameters, earlier: Sequence[TrialResult] = ()) -> ObjectiveValue:  # noqa: ARG002
        """Return AUC and gap of a design, cross-validated, and the approval rates by group."""
        sample = self.experiment.sample_with(parameters)
        if not (sample.numeric or sample.categorical):
            return NO_MODEL
        aucs, rates = self._judge(*self._held_out(parameters))
        return ObjectiveValue(fmean(aucs), widest_gap(rates), {RATES: rates, AUCS: aucs})

    def leverage(self, parameters: Parameters, groups: Sequence[Group]) -> dict[str, tuple[float, float]]:
        """Return the loss in AUC and the reduction of the gap when a group's values are shuffled.

        Keys are the names of the groups' uses; a group that the design does not use has none.
        """
        scorers, rows = self._held_out(parameters)
        aucs, rates = self._judge(scorers, rows)
        effects = {}
        for group in groups:
            if group[0] in rows[0]:
                other, others = self._judge(scorers, [_shuffled(columns, group) for columns in rows])
                effects[use_of(group)] = (fmean(aucs) - fmean(other), widest_gap(rates) - widest_gap(others))
        return effects

    def _held_out(self, parameters: Parameters) -> tuple[list[Any], list[Columns]]:
        sample, folds = self.experiment.sample_with(parameters), self.experiment.split.folds
        return fit_on_folds(self.experiment, parameters), [sample.take(fold.held_out).columns for fold in folds]

    def _judge(self, scorers: Sequence[Any], rows: Sequence[Columns]) -> tuple[list[float], dict[str, float]]:
        """Return the AUC of each fold, and the approval rates by group over all their held-out rows."""
        folds, bad = self.experiment.split.folds, self.experiment.development.bad
        risks = [scorer.log_odds(columns) for scorer, columns in zip(scorers, rows, strict=True)]
        aucs = [auc(bad[fold.held_out], risk) for fold, risk in zip(folds, risks, strict=True)]
        approved = np.concatenate([approved_at_rate(risk, self.rate) for risk in risks])
        groups = np.concatenate([self.levels[fold.held_out] for fold in folds])
        minimum = self.experiment.settings.policy.fairness.minimum_group
        return aucs, approval_rates(approved, groups, minimum=minimum)


def fairness_objective_of(experiment: Experiment) -> FairnessObjective:
    """Return the objective of the settings.

    Raises:
        ConfigurationError: fewer than two groups are large enough, or the policy approves nearly all or none.
    """
    levels = levels_of(experiment, experiment.split.development)
    _check_groups(experiment, levels)
    rate = experiment.settings.fair.approval_rate
    return FairnessObjective(experiment, levels, _rate_of_policy(experiment) if rate is None else rate)


def levels_of(experiment: Experiment, rows: NDArray[np.intp]) -> NDArray[np.object_]:
    """Return the protected group of the given applications, None where it is missing.

    Raises:
        ConfigurationError: the attribute has more different numbers than groups, and the policy has no bands for it.
    """
    attribute, bands = experiment.settings.fair.attribute, experiment.settings.policy.fairness.bands
    values = experiment.applications.protected[[attribute]].iloc[rows]
    groups = protected_groups(values, bands)
    if groups.ungrouped:
        raise ConfigurationError(f"fair.attribute '{attribute}' has no groups: {groups.ungrouped[str(attribute)]}")
    labels = groups.labels[str(attribute)].astype(object)
    labels[values[attribute].isna().to_numpy()] = None
    return labels


def fit_on_folds(experiment: Experiment, parameters: Parameters) -> list[Any]:
    """Return the scorer fitted on the rows of each fold."""
    candidate, sample = experiment.candidate_with(dict(parameters)), experiment.sample_with(parameters)
    how = {"seed": experiment.settings.seed, "threads": experiment.settings.threads}
    return [candidate.fit(sample.take(fold.fit), **how) for fold in experiment.split.folds]


def _rate_of_policy(experiment: Experiment) -> float:
    """Return the approval rate of the configured candidate at the policy's cut-off, on held-out rows."""
    policy, folds, sample = experiment.settings.policy, experiment.split.folds, experiment.development
    rows = [sample.take(fold.held_out) for fold in folds]
    scorers = fit_on_folds(experiment, {})
    log_odds = np.concatenate([one.log_odds(held.columns) for one, held in zip(scorers, rows, strict=True)])
    bad = np.concatenate([held.bad for held in rows])
    calibration = fit_calibration(log_odds, bad, experiment.settings.candidate.calibration)
    scores = points(calibrate(log_odds, calibration), policy.scale)
    rate = float((scores >= policy.approve_from).mean())
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise ConfigurationError(
            f"policy.approve_from={policy.approve_from} approves {rate:.1%} of the held-out applications, which is too "
            "few or too many to compare groups; set fair.approval_rate, for example to 0.7"
        )
    return rate


def _check_groups(experiment: Experiment, levels: NDArray[np.object_]) -> None:
    held_out = np.concatenate([levels[fold.held_out] for fold in experiment.split.folds])
    names, counts = np.unique([str(one) for one in held_out if one is not None], return_counts=True)
    minimum, attribute = experiment.settings.policy.fairness.minimum_group, experiment.settings.fair.attribute
    if (counts >= minimum).sum() < 2:
        largest = sorted(zip(counts, names, strict=True), reverse=True)[:3]
        sizes = ", ".join(f"{name} {count:,}" for count, name in largest) or "none"
        raise ConfigurationError(
            f"fair.attribute '{attribute}' has {len(names)} groups (the largest: {sizes}) and needs two of at least "
            f"{minimum} held-out applications; set wider policy.fairness.bands, add data or lower "
            "policy.fairness.minimum_group"
        )


def _shuffled(columns: Mapping[str, NDArray[Any]], group: Group) -> Mapping[str, NDArray[Any]]:
    """Permute a group's values among the rows (Breiman 2001)."""
    rows = len(next(iter(columns.values())))
    order = np.random.default_rng(rows).permutation(rows)
    return {**columns, **{name: columns[name][order] for name in group}}
