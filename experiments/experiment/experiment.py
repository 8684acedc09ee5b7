"""The resolved experiment: candidate, table and split; equal experiments have the same identity."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from experiments.experiment.directions import declared_directions
from experiments.experiment.feature_use import (
    Group,
    Parameters,
    candidate_in_use,
    feature_groups,
    has_uses,
    sample_in_use,
    without_uses,
)
from experiments.experiment.leave_out import without_features
from experiments.experiment.recorded_settings import candidate_with
from experiments.experiment.settings import ConstraintSettings, Search, SecondObjective, TuneSettings
from experiments.experiment.warm_starts import WarmStart
from experiments.reject_inference.propensity import decisions
from experiments.reject_inference.reject_inference import FuzzyAugmentation, approval_weights
from experiments.reject_inference.settings import RejectInference
from pipelines.applications.applications import Applications, load_applications
from pipelines.applications.roles import BAD
from pipelines.applications.settings import DataSettings
from pipelines.applications.splits import Split, split_applications
from pipelines.applications.ttd_population import decided_ttd_population, read_ttd_population, ttd_path
from pipelines.candidates.candidate import Candidate
from pipelines.candidates.registry import AUTO, candidate_of, families_in, require_trusted_families
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import AutoSettings
from pipelines.credit.loan import recorded_contract
from pipelines.credit.outcome_words import outcome_words
from pipelines.errors import ConfigurationError
from pipelines.marketplace.manifest import manifest_beside
from pipelines.policy.pack import check_policy
from pipelines.reading.locations import is_address
from pipelines.secrets.environment_text import EnvironmentText, resolved, to_record
from pipelines.storage.fingerprint import fingerprint_record
from pipelines.storage.json_values import to_json_values
from pipelines.storage.workspace import Workspace

IDENTITY_LENGTH = 16

NOT_IDENTITY = (
    *("trials", "time", "workers", "final", "choose", "max_cost", "workspace", "output", "debug"),
    *("experiment_name", "overrides"),
)
"""Settings that do not change a trial; a study goes on under other ones."""

PATHS = ("path", "ttd_population")
"""Paths are not part of an experiment's identity; the contents of the files are."""


@dataclass(frozen=True)
class Experiment:
    """The resolved experiment."""

    settings: TuneSettings
    applications: Applications
    split: Split
    starts: tuple[WarmStart, ...] = ()
    """What earlier studies found, and this one tries first."""

    @cached_property
    def study(self) -> str:
        """Its identity: a hash of everything that decides the result except the number of trials."""
        return _identity(self)

    @property
    def title(self) -> str:
        """The name under which Optuna keeps the study: model, candidate and identity."""
        return f"{self.settings.model} {self.family} {self.study}"

    @property
    def family(self) -> str:
        """The value of candidate=NAME: a family, or `auto`."""
        return AUTO if self.searches_families else self.candidate.family

    @property
    def is_deterministic(self) -> bool:
        """Whether the trials are the same for any number of workers; those of a time budget depend on it."""
        return self.settings.deterministic and self.settings.time is None

    @property
    def searches_families(self) -> bool:
        """Whether a trial has a family of its own."""
        return isinstance(self.settings.candidate, AutoSettings)

    @property
    def candidate(self) -> Candidate:
        """The candidate with the parameters of the configuration."""
        return candidate_of(self.settings.candidate)

    @cached_property
    def applicants(self) -> Applications | None:
        """All applicants of the development period with earlier decisions; None without reject inference."""
        return _applicants_in_development(self)

    @cached_property
    def development(self) -> Sample:
        """The rows to train on."""
        applications, settings = self.applications.take(self.split.development), self.settings
        sample = replace(self._sample_of(applications), blocks=self.split.blocks)
        if self.applicants is None or settings.reject_inference is not RejectInference.reweighting:
            return sample
        weights = approval_weights(self.applicants, applications.ids, seed=settings.seed, threads=settings.threads)
        return replace(sample, weights=weights)

    @property
    def test(self) -> Sample:
        """The rows to evaluate on; no search uses them."""
        return self._sample_of(self.applications.take(self.split.test))

    def _sample_of(self, applications: Applications) -> Sample:
        sample = replace(sample_of(applications), directions=self.directions)
        return without_features(sample, self.settings.leave_out)

    @cached_property
    def directions(self) -> dict[str, int]:
        """The declared directions of its features (see `declared_directions`)."""
        return declared_directions(self.settings.data, self.applications.roles.numeric)

    @cached_property
    def groups(self) -> list[Group]:
        """The features in groups; a fair search uses or drops a group as a whole."""
        return feature_groups(self.development)

    def candidate_with(self, parameters: Mapping[str, Any]) -> Candidate:
        """Return the candidate with the parameters of a trial in place of the configured ones."""
        candidate = candidate_with(self.settings, without_uses(parameters))
        if has_uses(parameters):
            candidate = candidate_in_use(candidate, self.groups, parameters)
        if self.applicants is None or self.settings.reject_inference is not RejectInference.fuzzy_augmentation:
            return candidate
        is_approved, _ = decisions(self.applicants)
        roles, declined = self.applicants.roles, self.applicants.take(np.flatnonzero(~is_approved))
        unknown_outcomes = np.zeros(len(declined), np.int8)
        rows = Sample.of(declined.features, unknown_outcomes, roles.numeric, roles.categorical)
        return FuzzyAugmentation(candidate, rows, approved=int(is_approved.sum()))

    def sample_with(self, parameters: Parameters) -> Sample:
        """Return the rows to train on, with the features that a trial uses."""
        return sample_in_use(self.development, self.groups, parameters) if has_uses(parameters) else self.development

    def record(self) -> dict[str, Any]:
        """Return the configuration as JSON values, with absolute paths to the data.

        The folders of a marketplace are links to the latest preparation; the record names their targets. What the
        environment gave is recorded as the configuration has it.
        """
        record = self.values()
        paths = {"path": self.settings.data.path, "ttd_population": ttd_path(self.settings.data)}
        record["data"] |= {name: _absolute(path) for name, path in paths.items()}
        recorded: dict[str, Any] = to_record(record)
        return recorded

    def values(self) -> dict[str, Any]:
        """Return the configuration as JSON values, with what the environment gave."""
        values = to_json_values(self.settings)
        values["candidate"]["family"] = self.family
        return values


def _absolute(path: str | None) -> str | None:
    is_written = not path or isinstance(path, EnvironmentText) or is_address(path)
    return (path or None) if is_written else str(Path(str(path)).resolve())


def resolve(settings: TuneSettings) -> Experiment:
    """Read and split the data, and return the experiment.

    Raises:
        ConfigurationError: no trials, threads or workers, a policy that cannot rank, reject inference without earlier
            decisions, a parameter that the candidate cannot have, a split outside its range, or the directions of a
            catalogue that the data does not have.
        RequestError: the library of the candidate's family is not installed.
        DataError: the data breaks its contract or a part of the split is empty.
    """
    for name, value in {"trials": settings.trials, "threads": settings.threads, "workers": settings.workers}.items():
        if value is not None and value < 1:
            raise ConfigurationError(f"{name} must be at least 1, received {value}; use for example {name}=2")
    if settings.max_cost is not None and not settings.max_cost > 0:
        message = f"max_cost is {settings.max_cost:g}; use microseconds per row above 0, or null for no bound"
        raise ConfigurationError(message)
    check_policy(settings.policy)
    _check_decisions(settings)
    declared_directions(settings.data, ())
    if not isinstance(settings.candidate, AutoSettings):
        families = families_in(candidate_of(settings.candidate))
        require_trusted_families([family.name for family in families], settings.policy.models)
    applications = load_applications(settings.data, Workspace.at(settings.workspace))
    split = split_applications(applications, settings.split)
    return Experiment(settings, applications, split)


def reference_applications(experiment: Experiment) -> Applications:
    """Return the applications behind the reference profile: all applicants of the test period, or the test part.

    The model was fitted on none of them. A profile of approved applications alone would show drift in every month.

    Raises:
        ConfigurationError: there is a table of all applicants and no time column to select the test period by.
    """
    settings, test = experiment.settings, experiment.applications.take(experiment.split.test)
    if ttd_path(settings.data) is None:
        return test
    if test.times is None:
        raise ConfigurationError("data.ttd_population is set without data.time; add data.time=COLUMN")
    everyone = read_ttd_population(settings.data, Workspace.at(settings.workspace), test.roles)
    return everyone.during(test.times.min(), test.times.max())


def outcome_of(data: DataSettings) -> str:
    """Return in words what a bad outcome is: the loan contract of a prepared marketplace, or the label of a table."""
    loan = manifest_beside(data).get("configuration", {}).get("loan")
    if loan is None:
        return f"{data.label} = {data.bad or BAD}"
    return outcome_words(recorded_contract(resolved(loan)))


def _check_decisions(settings: TuneSettings) -> None:
    """Raise ConfigurationError for reject inference without earlier decisions."""
    has_decisions = ttd_path(settings.data) is not None and settings.data.decision is not None
    if settings.reject_inference is not RejectInference.none and not has_decisions:
        raise ConfigurationError(
            f"reject_inference={settings.reject_inference.value} needs declined applications, and data.decision or "
            "data.ttd_population is not set; set both, or use reject_inference=none"
        )


def _applicants_in_development(experiment: Experiment) -> Applications | None:
    settings = experiment.settings
    if settings.reject_inference is RejectInference.none:
        return None
    development = experiment.applications.take(experiment.split.development)
    everyone = decided_ttd_population(settings.data, Workspace.at(settings.workspace), development.roles)
    if everyone is None or development.times is None:
        return everyone
    return everyone.during(development.times.min(), development.times.max())


def sample_of(applications: Applications) -> Sample:
    """Return applications as rows to train or to evaluate on."""
    roles = applications.roles
    return Sample.of(
        applications.features,
        applications.outcomes,
        roles.numeric,
        roles.categorical,
        roles.meanings,
        roles.reading_record,
    )


def _identity(experiment: Experiment) -> str:
    record = experiment.values()
    for name in NOT_IDENTITY:
        del record[name]
    record["deterministic"] = experiment.is_deterministic
    for name in (*PATHS, "query", "database", "segments", "segment_bands"):
        del record["data"][name]
    policy = record["policy"]
    record["policy"] = policy["scale"]  # the rest of a policy does not change the model
    if not experiment.settings.warm_start:
        del record["warm_start"]
    if experiment.starts:
        record["starts"] = [asdict(one) for one in experiment.starts]
    if experiment.settings.second_objective is SecondObjective.none:
        del record["second_objective"]
    if experiment.settings.constraints == ConstraintSettings():
        del record["constraints"]
    if experiment.settings.search is Search.fair:  # here the policy also sets how groups are compared
        record["compared"] = [policy["approve_from"], policy["fairness"]["minimum_group"]]
        bands = policy["fairness"]["bands"].get(experiment.settings.fair.attribute)
        record["compared"] += [bands] if bands else []
    else:
        del record["search"], record["fair"]
    record |= {"data_fingerprint": experiment.applications.fingerprint}
    if experiment.applicants is not None:
        record |= {"asked_fingerprint": experiment.applicants.fingerprint}
    return fingerprint_record(record)[:IDENTITY_LENGTH]
