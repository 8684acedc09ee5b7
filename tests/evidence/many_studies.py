"""A workspace with many versions and studies, written as tune writes them and without fitting anything."""

import json
from typing import Any

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.storages import RDBStorage
from optuna.storages._rdb.models import (
    TrialIntermediateValueModel,
    TrialModel,
    TrialParamModel,
    TrialUserAttributeModel,
    TrialValueModel,
)
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import insert, select

from experiments.experiment.recorded_settings import FAMILY
from experiments.search.optuna_adapter import study_storage
from experiments.search.trial_result import AUCS, COST, FOLDS, NOTES, SECONDS, TREES
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import (
    CANDIDATE,
    CV_AUC,
    DATA,
    EVALUATION,
    KIND,
    MODEL_HASH,
    OUTCOME,
    PARAMETERS,
    PARTS,
    STUDY,
    STUDY_RUN,
    TEST_PART,
    TRIAL,
)
from pipelines.storage.workspace import Workspace

MODEL = "many"
FAMILIES = ("catboost", "lightgbm", "scorecard", "xgboost")
PARAMETERS_OF_A_FAMILY = tuple("abcdefgh")
PARTS_OF_A_TRIAL = (TrialParamModel, TrialValueModel, TrialUserAttributeModel, TrialIntermediateValueModel)


def write_many(workspace: Workspace, *, versions: int, studies: int, trials: int) -> None:
    """Write so many versions of one model, and studies of so many trials each."""
    generator = np.random.default_rng(0)
    identities = [f"{number:08x}{number:08x}" for number in range(1, studies + 1)]
    storage = study_storage(workspace)
    for identity in identities:
        study = optuna.create_study(storage=storage, study_name=f"{MODEL} auto {identity}", direction="maximize")
        study.set_user_attr(FOLDS, {"number": 5, "hash": identity[7:8], "held_out_to_fit": 0.25})
    first = optuna.load_study(storage=storage, study_name=f"{MODEL} auto {identities[0]}")
    first.add_trials([_trial(number, generator) for number in range(trials)])
    _copy_trials(storage, studies, trials)
    _versions(ModelStore(workspace), identities, versions, generator)


def _copy_trials(storage: RDBStorage, studies: int, trials: int) -> None:
    """Give the other studies the trials of the first one, which Optuna would write one by one."""
    with storage.engine.begin() as connection:
        for number in range(1, studies):
            for model in (TrialModel, *PARTS_OF_A_TRIAL):
                table: Any = model.__table__
                own = [column for column in table.c if not column.primary_key or column.name == "trial_id"]
                shift = {"trial_id": number * trials, "study_id": number}
                copied = [column + shift.get(column.name, 0) if column.name in shift else column for column in own]
                rows = select(*copied).where(table.c.trial_id <= trials)
                connection.execute(insert(table).from_select([column.name for column in own], rows))


def _trial(number: int, generator: np.random.Generator) -> FrozenTrial:
    family, aucs = FAMILIES[number % len(FAMILIES)], [float(one) for one in generator.uniform(0.7, 0.8, 5)]
    names = [f"{family}.{name}" for name in PARAMETERS_OF_A_FAMILY]
    return optuna.trial.create_trial(
        state=TrialState.PRUNED if number % 5 == 4 else TrialState.COMPLETE,
        value=float(np.mean(aucs)),
        params={FAMILY: family, **{name: float(generator.random()) for name in names}},
        distributions={FAMILY: CategoricalDistribution(FAMILIES), **{name: FloatDistribution(0, 1) for name in names}},
        intermediate_values=dict(enumerate(aucs)),
        user_attrs={NOTES: {SECONDS: 1.5, COST: 1.2, TREES: 300, AUCS: aucs}},
    )


def _versions(store: ModelStore, identities: list[str], versions: int, generator: np.random.Generator) -> None:
    """Register versions as tune does: the studies have some each, in turn, from runs with their metrics."""
    experiment = store.experiment(MODEL)
    runs = {one: store.open_run(experiment, one[:8], {STUDY: one, KIND: STUDY_RUN}) for one in identities}
    for run in runs.values():
        store.log(run, metrics={"cv_auc": 0.75, "test_auc": 0.74}, parameters={name: name for name in "abcdefgh"})
        store.close_run(run)
    store.client.create_registered_model(MODEL)
    for number in range(versions):
        identity = identities[number % len(identities)]
        tags = _tags(identity, number, float(generator.uniform(0.7, 0.8)))
        store.client.create_model_version(MODEL, f"file:///nowhere/{number}", runs[identity], tags=tags)


def _tags(identity: str, number: int, auc: float) -> dict[str, str]:
    measure = {"value": auc, "low": auc - 0.03, "high": auc + 0.03}
    names = ("auc", "gini", "ks", "brier", "log_loss", "h_measure")
    parts = [{"family": family, "weight": 0.5, "models": 5} for family in FAMILIES[:2]]
    parameters = {"parts": [part | {"parameters": dict.fromkeys(PARAMETERS_OF_A_FAMILY, 0.5)} for part in parts]}
    return {
        STUDY: identity,
        TRIAL: f"blend of {number % 4} (50%), {number % 4 + 5} (50%)",
        CV_AUC: repr(auc + 0.01),
        PARTS: json.dumps(parts),
        PARAMETERS: json.dumps(parameters),
        EVALUATION: json.dumps({"rows": 6000, "bad": 1300, "measures": dict.fromkeys(names, measure)}),
        CANDIDATE: "blend",
        MODEL_HASH: "0" * 64,
        DATA: "0" * 64,
        TEST_PART: "0" * 64,
        OUTCOME: "default = 1",
    }
