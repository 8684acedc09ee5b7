"""What a study asks: a candidate, a table and a split, resolved; equal experiments have the same identity."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from experiments.experiment.feature_groups import feature_groups
from experiments.experiment.feature_use import (
    Group,
    Parameters,
    candidate_in_use,
    has_uses,
    sample_in_use,
    without_uses,
)
from experiments.experiment.recorded_settings import candidate_with
from experiments.experiment.settings import Search, TuneSettings
from experiments.reject_inference.propensity import decisions
from experiments.reject_inference.reject_inference import FuzzyAugmentation, approval_weights
from experiments.reject_inference.settings import RejectInference
from pipelines.applications.applications import Applications, load_applications
from pipelines.applications.settings import DataSettings
from pipelines.applications.splits import Split, split_applications
from pipelines.applications.ttd_population import decided_ttd_population, read_ttd_population, ttd_path
from pipelines.candidates.candidate import Candidate
from pipelines.candidates.registry import candidate_of
from pipelines.candidates.sample import Sample
from pipelines.errors import ConfigurationError
from pipelines.marketplace.manifest import manifest_beside
from pipelines.policy.pack import check_policy
from pipelines.storage.fingerprint import fingerprint_record
from pipelines.storage.json_values import to_json_values
from pipelines.storage.workspace import Workspace

IDENTITY_LENGTH = 16

PATHS = ("path", "ttd_population")
"""Where data lies is no part of an experiment; what it holds is."""


@dataclass(frozen=True)
class Experiment:
    """The resolved experiment."""

    settings: TuneSettings
    applications: Applications
    split: Split

    @cached_property
    def study(self) -> str:
        """Its identity: everything that decides the answer but the number of trials."""
        return _identity(self)

    @property
    def candidate(self) -> Candidate:
        """The candidate with the parameters of the configuration."""
        return candidate_of(self.settings.candidate)

    @cached_property
    def asked(self) -> Applications | None:
        """All who asked in the development time, with earlier decisions, where reject inference is asked for."""
        return _asked_in_development(self)

    @cached_property
    def development(self) -> Sample:
        """The rows to learn from."""
        applications, settings = self.applications.take(self.split.development), self.settings
        sample = sample_of(applications)
        if self.asked is None or settings.reject_inference is not RejectInference.reweighting:
            return sample
        weights = approval_weights(self.asked, applications.ids, seed=settings.seed, threads=settings.threads)
        return replace(sample, weights=weights)

    @property
    def test(self) -> Sample:
        """The rows to judge on; no search sees them."""
        return sample_of(self.applications.take(self.split.test))

    @cached_property
    def groups(self) -> list[Group]:
        """The features in groups, those that a fair search uses together."""
        return feature_groups(self.development)

    def candidate_with(self, parameters: dict[str, float | int]) -> Candidate:
        """Return the candidate with the parameters of a trial in place of the configured ones."""
        candidate = candidate_with(self.settings, without_uses(parameters))
        if has_uses(parameters):
            candidate = candidate_in_use(candidate, self.groups, parameters)
        if self.asked is None or self.settings.reject_inference is not RejectInference.fuzzy_augmentation:
            return candidate
        is_approved, _ = decisions(self.asked)
        roles, declined = self.asked.roles, self.asked.take(np.flatnonzero(~is_approved))
        nobody_knows = np.zeros(len(declined), np.int8)
        rows = Sample.of(declined.features, nobody_knows, roles.numeric, roles.categorical)
        return FuzzyAugmentation(candidate, rows, approved=int(is_approved.sum()))

    def sample_with(self, parameters: Parameters) -> Sample:
        """Return the rows to learn from, with the features that a trial uses."""
        return sample_in_use(self.development, self.groups, parameters) if has_uses(parameters) else self.development

    def record(self) -> dict[str, Any]:
        """Return the resolved configuration as JSON values, with the places of the data made absolute.

        A marketplace's folders are names that lead to what was prepared last; the record says where they led.
        """
        record = to_json_values(self.settings)
        record["candidate"]["family"] = self.candidate.family
        places = {"path": self.settings.data.path, "ttd_population": ttd_path(self.settings.data)}
        record["data"] |= {name: str(Path(place).resolve()) if place else None for name, place in places.items()}
        return record


def resolve(settings: TuneSettings) -> Experiment:
    """Read the data, split it and give the experiment its identity.

    Raises:
        ConfigurationError: no trials, no threads, a policy that cannot rank, reject inference without earlier
            decisions, or a split outside its range.
        DataError: the data breaks its contract or a part of the split is empty.
    """
    for name, value in {"trials": settings.trials, "threads": settings.threads}.items():
        if value < 1:
            raise ConfigurationError(f"{name} must be at least 1, received {value}; use for example {name}=2")
    check_policy(settings.policy)
    _check_decisions(settings)
    applications = load_applications(settings.data, Workspace.at(settings.workspace))
    split = split_applications(applications, settings.split, seed=settings.seed)
    return Experiment(settings, applications, split)


def reference_applications(experiment: Experiment) -> Applications:
    """Return whom a reference profile is taken from: all who asked in the test's time, or the test part itself.

    The model was fitted on none of them. A profile of the approved alone would call every month drifted.

    Raises:
        ConfigurationError: a table of all who asked, and no time role to choose from it by.
    """
    settings, test = experiment.settings, experiment.applications.take(experiment.split.test)
    if ttd_path(settings.data) is None:
        return test
    if test.times is None:
        raise ConfigurationError("data.ttd_population needs a time role, received no data.time; add data.time=COLUMN")
    everyone = read_ttd_population(settings.data, Workspace.at(settings.workspace), test.roles)
    return everyone.during(test.times.min(), test.times.max())


def outcome_of(data: DataSettings) -> str:
    """Return in words what a bad outcome is: the loan contract of a prepared marketplace, or the label of a table."""
    loan = manifest_beside(data).get("configuration", {}).get("loan")
    if loan is None:
        return f"{data.label} = {data.bad}"
    bad = loan["bad"]
    what = "the first instalment" if bad["first_instalment_only"] else "an instalment"
    return f"{what} {bad['days_past_due']} days past due within {bad['window_months']} months on book"


def _check_decisions(settings: TuneSettings) -> None:
    """Raise ConfigurationError for reject inference where nobody tells what an earlier policy decided."""
    told = ttd_path(settings.data) is not None and settings.data.decision is not None
    if settings.reject_inference is not RejectInference.none and not told:
        raise ConfigurationError(
            f"reject_inference={settings.reject_inference.value} learns from those whom an earlier policy declined, "
            "received no data.decision or no data.ttd_population; name both, or use reject_inference=none"
        )


def _asked_in_development(experiment: Experiment) -> Applications | None:
    settings = experiment.settings
    if settings.reject_inference is RejectInference.none:
        return None
    development = experiment.applications.take(experiment.split.development)
    everyone = decided_ttd_population(settings.data, Workspace.at(settings.workspace), development.roles)
    if everyone is None or development.times is None:
        return everyone
    return everyone.during(development.times.min(), development.times.max())


def sample_of(applications: Applications) -> Sample:
    """Return applications as rows to learn from or to judge on."""
    roles = applications.roles
    return Sample.of(applications.features, applications.outcomes, roles.numeric, roles.categorical, roles.meanings)


def _identity(experiment: Experiment) -> str:
    record = experiment.record()
    for told in ("trials", "workspace", "output", "debug"):
        del record[told]
    for told in (*PATHS, "segments", "segment_bands"):
        del record["data"][told]
    policy = record["policy"]
    record["policy"] = policy["scale"]  # the rest of a policy judges models and does not make them
    if experiment.settings.search is Search.fair:  # but where groups are compared, it says how
        record["compared"] = [policy["approve_from"], policy["fairness"]["minimum_group"]]
    else:
        del record["search"], record["fair"]
    record |= {"data_fingerprint": experiment.applications.fingerprint}
    if experiment.asked is not None:
        record |= {"asked_fingerprint": experiment.asked.fingerprint}
    return fingerprint_record(record)[:IDENTITY_LENGTH]
