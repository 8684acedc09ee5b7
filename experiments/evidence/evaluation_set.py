"""The applications that a version is evaluated on, and the versions with their predictors."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.evidence.own_features import features_of
from experiments.evidence.settings import EvaluationSetSettings
from experiments.experiment.recorded_settings import settings_of
from experiments.experiment.settings import TuneSettings
from pipelines.applications.applications import Applications, load_applications
from pipelines.applications.settings import DataSettings
from pipelines.applications.splits import Split, split_applications
from pipelines.erasures.record import read_erasures
from pipelines.errors import RequestError
from pipelines.marketplace.manifest import manifest_beside
from pipelines.model_store.predictor import Predictor, load_predictor
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.tags import DATA, FITTED_UNTIL, TEST_PART
from pipelines.model_store.training_record import has_training_record, with_training_record
from pipelines.policy.model_settings import ModelSettings
from pipelines.storage.workspace import Workspace

if TYPE_CHECKING:
    from pipelines.model_store.store import ModelStore

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ScoredVersion:
    """A registered version with its loaded predictor.

    What it was trained on is in the tags of `version`, as the model's files record it; `training_rows` says whether
    they do.
    """

    version: RegisteredModel
    predictor: Predictor
    training_rows: str = "recorded"

    @classmethod
    def of(cls, store: "ModelStore", version: RegisteredModel, models: ModelSettings | None = None) -> "ScoredVersion":
        """Load a version that the policy's `models` trust; see `load_predictor` for what is raised."""
        folder, predictor = store.download(version), load_predictor(store, version, models)
        version = with_training_record(folder, version)
        if TEST_PART not in version.tags:
            return cls(version, predictor, "unknown: trained elsewhere")
        tags_alone = "recorded in MLflow's tags alone, by an earlier version of Thinfile"
        return cls(version, predictor, "recorded" if has_training_record(folder) else tags_alone)

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.version.name} version {self.version.version}"

    @property
    def features(self) -> list[str]:
        """The features that the model needs."""
        return [*self.predictor.numeric, *self.predictor.categorical]

    def read(self, applications: Applications) -> Applications:
        """Return the applications with the features of this version, read from the raw table as it learnt to.

        Raises:
            RequestError: the table lacks a column of the version, or holds values that it cannot read.
        """
        return replace(applications, features=features_of(self.predictor, applications, self.title))

    def predict(self, applications: Applications) -> Floats:
        """Return probabilities of bad, shape (n,). Raises RequestError as `read` does."""
        return self.predictor.probability_of_bad(self.read(applications).features)


@dataclass(frozen=True)
class EvaluationSet:
    """Development and test part of the data that a version is evaluated on; `study` is None without a record."""

    applications: Applications
    split: Split
    data: DataSettings
    study: TuneSettings | None
    seed: int

    @cached_property
    def development(self) -> Applications:
        """The rows that a challenger of ours was trained on."""
        return self.applications.take(self.split.development)

    @cached_property
    def test(self) -> Applications:
        """The rows to evaluate on; no search used them."""
        return self.applications.take(self.split.test)

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest of a prepared marketplace; empty for other data."""
        return manifest_beside(self.data)


def amounts_of(applications: Applications, data: DataSettings) -> Floats:
    """Return the requested amounts, shape (n,): the declared column, or 1 each.

    Raises:
        RequestError: the declared column is not a numeric feature, or an amount is missing or not above 0.
    """
    if data.amount is None:
        return np.ones(len(applications))
    if data.amount not in applications.roles.numeric:
        raise RequestError(
            f"data.amount='{data.amount}' is not a numeric feature; declare the column in data.numeric too"
        )
    amounts = applications.features[data.amount].to_numpy(np.float64)
    if not (amounts > 0).all():
        raise RequestError(
            f"column '{data.amount}' (data.amount) has {int((~(amounts > 0)).sum()):,} rows without an amount above 0; "
            "correct the table or leave data.amount out"
        )
    return amounts


def evaluation_set_of(
    settings: EvaluationSetSettings,
    workspace: Workspace,
    store: "ModelStore",
    challenger: RegisteredModel,
) -> EvaluationSet:
    """Return the evaluation set: the data of the challenger's record, or the data in the settings.

    `challenger` is a `ScoredVersion`'s, whose tags are those that the model's files record.
    Its table is read once; each version reads its own columns from it (see `ScoredVersion.read`).

    Raises:
        RequestError: there is neither record nor setting, or the data is not what the challenger was tested on.
    """
    study = None
    data, split_settings, seed = settings.data, settings.split, settings.seed
    record = store.read_record(challenger.run_id) if TEST_PART in challenger.tags else None
    if record is not None:
        study = settings_of(record)
    if data is None:
        if study is None:
            raise RequestError(
                f"{challenger.name} version {challenger.version} was trained elsewhere and has no record of its data; "
                "name the data to evaluate it on: data=table data.path=FILE data.label=COLUMN ..."
            )
        data, split_settings, seed = study.data, study.split, study.seed
    applications = load_applications(data, workspace, keep_raw=True)
    split = split_applications(applications, split_settings)
    title = f"{challenger.name} version {challenger.version}"
    for tag, received, name in ((DATA, applications.fingerprint, "data"), (TEST_PART, split.test_part, "test part")):
        expected = challenger.tags.get(tag, received)
        if received != expected:
            erased = read_erasures(workspace).leads_to(expected, received)
            if erased or applications.fingerprint_with_erased == expected:
                raise RequestError(
                    f"people were erased from the {name} of {title} since its test; run `thinfile tune` again on the "
                    "remaining rows"
                )
            raise RequestError(
                f"the {name} is not that of the test of {title} ({expected[:12]}, received {received[:12]}); use the "
                "data, split and seed of its study, or tune again on the new data"
            )
    return EvaluationSet(applications, split, data, study, seed)


def is_unseen_by(champion: RegisteredModel, evaluation_set: EvaluationSet) -> tuple[bool | None, str]:
    """Return whether the champion was not trained on the test part, as far as its record shows, and the reason.

    None for a champion from elsewhere, without a record; training on these applications could only make it harder to
    beat.
    """
    test_part, until, times = champion.tags.get(TEST_PART), champion.tags.get(FITTED_UNTIL), evaluation_set.test.times
    if test_part is None:
        return None, "assumed (the champion has no record of its training rows; seeing these could only help it)"
    if test_part == evaluation_set.split.test_part:
        return True, "the test part is the champion's own"
    if until is not None and times is not None and bool(times.min() > np.datetime64(until)):
        return True, f"the test part is later than the champion's training rows (until {until[:19]})"
    return False, (
        "the champion was trained on another split and possibly on these applications; "
        "run `thinfile tune` for both on the same data, split and seed"
    )
