"""Studies whose trials finish, are given up and fail."""

from dataclasses import replace

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from experiments.experiment.recorded_settings import FAMILY
from experiments.search.study import Study
from experiments.search.trial_result import ObjectiveValue, Parameters, Pruned, starting_with
from pipelines.storage.workspace import Workspace

IDENTITIES = ("0123456789abcdef", "0f23456789abcdef")

SPACE = {
    FAMILY: CategoricalDistribution(["scorecard", "catboost"]),
    "scorecard.bins": IntDistribution(3, 12),
    "catboost.rate": FloatDistribution(0.01, 0.3, log=True),
}


def mixed(parameters: Parameters, _: object = ()) -> ObjectiveValue:
    if parameters.get("bins", 0) > 9:
        raise ValueError("too many bins")
    if parameters.get("rate", 1) < 0.05:
        raise Pruned([0.6, 0.5])
    return ObjectiveValue(0.7 + parameters.get("rate", 0) / 10, notes={"aucs": [0.7, 0.8], "seconds": 1.5})


def of_two_objectives(parameters: Parameters, _: object = ()) -> ObjectiveValue:
    return replace(mixed(parameters), second=0.1)


def studied(workspace: Workspace) -> Workspace:
    """Run a study of one objective and one of two in a workspace and return it."""
    for identity, objective, second in zip(IDENTITIES, (mixed, of_two_objectives), (None, "gap"), strict=True):
        study = Study(
            workspace,
            identity,
            SPACE,
            guide=starting_with({FAMILY: "scorecard", "bins": 4}),
            seed=0,
            title=f"credit score auto {identity}",
            second=second,
        )
        list(study.run(objective, 12))
    return workspace
