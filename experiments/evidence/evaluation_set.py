"""The applications that a version is judged on, and what is known of the version that learnt beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import DATA, FITTED_UNTIL, TEST_PART
from pipelines.storage.workspace import Workspace

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ScoredVersion:
    """A registered version with its loaded predictor."""

    version: RegisteredModel
    predictor: Predictor

    @classmethod
    def of(cls, store: ModelStore, version: RegisteredModel) -> "ScoredVersion":
        """Load a version; raises ThinfileError when its files are not those that were registered."""
        return cls(version, load_predictor(store, version))

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.version.name} version {self.version.version}"

    @property
    def features(self) -> list[str]:
        """The features that it asks for."""
        return [*self.predictor.numeric, *self.predictor.categorical]

    def predict(self, applications: Applications) -> Floats:
        """Return probabilities of bad, shape (n,). Raises RequestError for columns that the data does not have."""
        return self.predictor.probability_of_bad(self._features_of(applications))

    def _features_of(self, applications: Applications) -> pd.DataFrame:
        roles = applications.roles
        for kind, wanted, known in (
            ("numeric", self.predictor.numeric, roles.numeric),
            ("categorical", self.predictor.categorical, roles.categorical),
        ):
            lacking = sorted(set(wanted) - set(known))
            if lacking:
                raise RequestError(
                    f"{self.title} needs {kind} columns that the data does not have: {', '.join(lacking)}; "
                    f"declare them in data.{kind} or judge on other data"
                )
        return applications.features


@dataclass(frozen=True)
class EvaluationSet:
    """Development and test part of the data that a version is judged on; `study` is how it was made, where known."""

    applications: Applications
    split: Split
    data: DataSettings
    study: TuneSettings | None
    seed: int

    @cached_property
    def development(self) -> Applications:
        """The rows that a challenger of ours learnt from."""
        return self.applications.take(self.split.development)

    @cached_property
    def test(self) -> Applications:
        """The rows to judge on; no search saw them."""
        return self.applications.take(self.split.test)

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """What a prepared marketplace says about its training table; empty for other data."""
        return manifest_beside(self.data)


def amounts_of(applications: Applications, data: DataSettings) -> Floats:
    """Return the amounts asked for, shape (n,): the declared column, or 1 each.

    Raises:
        RequestError: the declared column is no numeric feature, or an amount is missing or not above 0.
    """
    if data.amount is None:
        return np.ones(len(applications))
    if data.amount not in applications.roles.numeric:
        raise RequestError(
            f"data.amount must be a numeric feature, received '{data.amount}'; declare it in data.numeric too"
        )
    amounts = applications.features[data.amount].to_numpy(np.float64)
    if not (amounts > 0).all():
        raise RequestError(
            f"the amount asked for must be above 0, column '{data.amount}' has {int((~(amounts > 0)).sum()):,} rows "
            "without one; correct the table or leave data.amount out"
        )
    return amounts


def evaluation_set_of(
    settings: EvaluationSetSettings,
    workspace: Workspace,
    store: ModelStore,
    challenger: RegisteredModel,
    champion: ScoredVersion | None,
) -> EvaluationSet:
    """Return what to judge on: the data of the challenger's record, or that which the user names.

    Columns that only the champion asks for are read along.

    Raises:
        RequestError: nothing says what to judge on, or it is not what the challenger was tested on.
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
                "say what to judge it on: data=table data.path=FILE data.label=COLUMN ..."
            )
        data, split_settings, seed = study.data, study.split, study.seed
    data = data if champion is None else _with_columns(data, champion)
    applications = load_applications(data, workspace)
    split = split_applications(applications, split_settings, seed=seed)
    for tag, found, name in ((DATA, applications.fingerprint, "data"), (TEST_PART, split.test_part, "test part")):
        expected = challenger.tags.get(tag, found)
        if found != expected:
            erased = read_erasures(workspace).leads_to(expected, found)
            if erased or applications.fingerprint_with_erased == expected:
                raise RequestError(
                    f"a challenger is judged on the {name} it was tested on, from that of {challenger.name} version "
                    f"{challenger.version} people were erased since; tune again on what is left"
                )
            raise RequestError(
                f"a challenger is judged on the {name} it was tested on, {challenger.name} version "
                f"{challenger.version} was tested on {expected[:12]}, received {found[:12]}; use the data, split and "
                "seed of its study, or tune again on the new data"
            )
    return EvaluationSet(applications, split, data, study, seed)


def _with_columns(data: DataSettings, champion: ScoredVersion) -> DataSettings:
    """Return data that also holds the features that the champion asks for."""
    known = {*data.numeric, *data.categorical}
    numeric = [name for name in champion.predictor.numeric if name not in known]
    categorical = [name for name in champion.predictor.categorical if name not in known]
    ignored = [name for name in data.ignored if name not in {*numeric, *categorical}]
    return replace(
        data, numeric=[*data.numeric, *numeric], categorical=[*data.categorical, *categorical], ignored=ignored
    )


def is_unseen_by(champion: RegisteredModel, evaluation_set: EvaluationSet) -> tuple[bool, str]:
    """Return whether a champion cannot have learnt from the test part, as far as its record tells, and how we know.

    A champion from elsewhere has no record; had it seen these applications, the challenger's task would only be harder.
    """
    known, until, times = champion.tags.get(TEST_PART), champion.tags.get(FITTED_UNTIL), evaluation_set.test.times
    if known is None:
        return (
            True,
            "not verified: the champion's training rows are unknown to us; seeing these could only help it",
        )
    if known == evaluation_set.split.test_part:
        return True, "the test part is the champion's own"
    if until is not None and times is not None and bool(times.min() > np.datetime64(until)):
        return True, f"the test part is later than all the champion learnt from (until {until[:19]})"
    return False, (
        "the champion was built on another split and may have learnt from these applications; "
        "run `thinfile tune` for both on the same data, split and seed"
    )
