"""What a study asks: a candidate, a table and a split, resolved; equal questions have the same identity."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from experiments.recorded import candidate_with
from experiments.settings import TuneSettings
from pipelines.applications import Applications, load_applications
from pipelines.candidates import Candidate, candidate_of
from pipelines.candidates.sample import Sample
from pipelines.errors import ConfigurationError
from pipelines.fingerprint import fingerprint_record
from pipelines.marketplace.manifest import manifest_beside
from pipelines.policy import check_policy
from pipelines.settings import DataSettings, plain
from pipelines.splits import Split, split_applications
from pipelines.through_the_door import place_of_all, who_asked
from pipelines.workspace import Workspace

IDENTITY_LENGTH = 16

PATHS = ("path", "through_the_door")
"""Where data lies is no part of a question; what it holds is."""


@dataclass(frozen=True)
class Question:
    """The resolved question. `study` is its identity: everything that decides the answer but the number of trials."""

    settings: TuneSettings
    applications: Applications
    split: Split
    study: str

    @property
    def candidate(self) -> Candidate:
        """The candidate with the parameters of the configuration."""
        return candidate_of(self.settings.candidate)

    @property
    def development(self) -> Sample:
        """The rows to learn from."""
        return sample_of(self.applications.take(self.split.development))

    @property
    def test(self) -> Sample:
        """The rows to judge on; no search sees them."""
        return sample_of(self.applications.take(self.split.test))

    def candidate_with(self, parameters: dict[str, float | int]) -> Candidate:
        """Return the candidate with the parameters of a trial in place of the configured ones."""
        return candidate_with(self.settings, parameters)

    def record(self) -> dict[str, Any]:
        """Return the resolved configuration as JSON values, with the path of the data made absolute."""
        record = plain(self.settings)
        record["candidate"]["family"] = self.candidate.family
        for name in PATHS:
            path = record["data"][name]
            record["data"][name] = str(Path(path).absolute()) if path else None  # a link stays one
        return record


def resolve(settings: TuneSettings) -> Question:
    """Read the data, split it and give the question its identity.

    Raises:
        ConfigurationError: no trials, no threads, a policy that cannot rank, or a split outside its range.
        DataError: the data breaks its contract or a part of the split is empty.
    """
    for name, value in {"trials": settings.trials, "threads": settings.threads}.items():
        if value < 1:
            raise ConfigurationError(f"{name} must be at least 1, received {value}; use for example {name}=2")
    check_policy(settings.policy)
    applications = load_applications(settings.data, Workspace.at(settings.workspace))
    split = split_applications(applications, settings.split, seed=settings.seed)
    question = Question(settings, applications, split, study="")
    return replace(question, study=_identity(question))


def reference_applications(question: Question) -> Applications:
    """Return whom a reference profile is taken from: all who asked in the test's time, or the test part itself.

    The model was fitted on none of them. A profile of the approved alone would call every month drifted.

    Raises:
        ConfigurationError: a table of all who asked, and no time role to choose from it by.
    """
    settings, test = question.settings, question.applications.take(question.split.test)
    if place_of_all(settings.data) is None:
        return test
    if test.times is None:
        raise ConfigurationError("data.through_the_door needs a time role, received no data.time; add data.time=COLUMN")
    everyone = who_asked(settings.data, Workspace.at(settings.workspace), test.roles)
    return everyone.during(test.times.min(), test.times.max())


def outcome_of(data: DataSettings) -> str:
    """Return in words what a bad outcome is: the loan contract of a prepared marketplace, or the label of a table."""
    loan = manifest_beside(data).get("configuration", {}).get("loan")
    if loan is None:
        return f"{data.label} = {data.bad}"
    bad = loan["bad"]
    what = "the first instalment" if bad["first_instalment_only"] else "an instalment"
    return f"{what} {bad['days_past_due']} days past due within {bad['window_months']} months on book"


def sample_of(applications: Applications) -> Sample:
    """Return applications as rows to learn from or to judge on."""
    roles = applications.roles
    return Sample.of(applications.features, applications.outcomes, roles.numeric, roles.categorical, roles.meanings)


def _identity(question: Question) -> str:
    record = question.record()
    for told in ("trials", "workspace", "output", "debug"):
        del record[told]
    for told in PATHS:
        del record["data"][told]
    record["policy"] = record["policy"]["scale"]  # the rest of a policy judges models and does not make them
    return fingerprint_record(record | {"data_fingerprint": question.applications.fingerprint})[:IDENTITY_LENGTH]
