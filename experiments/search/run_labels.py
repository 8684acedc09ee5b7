"""What MLflow's page of a study's run says: its name, who ran what, the policy, the data and the best parameters."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.experiment.experiment import Experiment
from experiments.experiment.recorded_settings import FAMILY
from experiments.search.finalists import Finalist
from experiments.search.trial_result import TrialResult
from pipelines.model_store.data_part import DataPart
from pipelines.model_store.description import with_lines
from pipelines.model_store.parameters import accepted_parameters
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.tags import MLFLOW_RUN_NOTE, POLICY, POLICY_NAME
from pipelines.policy.pack import policy_hash
from pipelines.secrets.environment_text import to_record
from pipelines.secrets.redaction import redacted, redacted_override
from pipelines.storage.process import account

BEST = "best."
"""Before the names of the tags with the best parameters: MLflow's own parameters cannot change when a study goes on."""


def run_name(experiment: Experiment) -> str:
    """Return the name of a study's run: the named experiment, the family, the data and the study's short identity."""
    name = experiment.settings.experiment_name
    title = f"{experiment.family} on {data_name(experiment)} {experiment.study[:8]}"
    return title if name is None else f"{name}: {title}"


def trial_name(experiment: Experiment, trial: TrialResult) -> str:
    """Return the name of a trial's run."""
    return f"trial {trial.number}: {trial.parameters.get(FAMILY, experiment.family)}"


def data_name(experiment: Experiment) -> str:
    """Return what people call the data of an experiment: its file, or its source."""
    data = experiment.settings.data
    return data.source.value if data.path is None else Path(str(data.path)).name


def run_tags(experiment: Experiment, made_with: Mapping[str, Any]) -> dict[str, str]:
    """Return tags that MLflow's pages show, and those of the policy; `made_with` is the provenance of the run."""
    policy = experiment.settings.policy
    commit = str(made_with["git_commit"])
    known = {} if commit == "unknown" else {"mlflow.source.git.commit": commit}
    return known | {
        "mlflow.user": account(),
        "mlflow.source.name": " ".join(["thinfile tune", *map(_shown, experiment.settings.overrides)]),
        "mlflow.source.type": "LOCAL",
        POLICY: policy_hash(policy),
        POLICY_NAME: policy.name,
    }


def _shown(override: str) -> str:
    """Return an override as the page of a run shows it: of a path the last part, for MLflow cuts at the last slash.

    >>> _shown("data.path=/data/lake/past.csv"), _shown("trials=5")
    ('data.path=past.csv', 'trials=5')
    """
    key, equals, value = redacted_override(override).partition("=")
    return f"{key}{equals}{value.rstrip('/').rpartition('/')[2]}"


def data_parts(experiment: Experiment) -> list[DataPart]:
    """Return the development and the test part of an experiment's data, each with a fingerprint of our own."""
    applications, split, name = experiment.applications, experiment.split, data_name(experiment)
    source = redacted(str(to_record(experiment.settings.data.path) or name))
    outcomes = applications.outcomes
    of_rows = {"training": split.development, "test": split.test}
    counts = {use: {"rows": len(rows), "bad": int(outcomes[rows].sum())} for use, rows in of_rows.items()}
    return [
        DataPart(name, applications.fingerprint, source, "training", counts["training"]),
        DataPart(f"{name}, test part", split.test_part, source, "test", counts["test"]),
    ]


def note_tag(experiment: Experiment, registered: RegisteredModel, present: str) -> dict[str, str]:
    """Return the description of a study's run: its data and what it registered; the words of people stay."""
    applications = experiment.applications
    lines = {
        "Data": f"{len(applications):,} applications, {int(applications.outcomes.sum()):,} bad; "
        f"{experiment.split.description}",
        "Registered": f"version {registered.version}, {registered.in_words()}",
        "Page": f"`thinfile compare study={experiment.study[:8]} model={registered.name}`",
    }
    return {MLFLOW_RUN_NOTE: with_lines(present, lines)}


def best_tags(finalist: Finalist) -> dict[str, str]:
    """Return the parameters of what a study registers, as tags of its run."""
    return {f"{BEST}{name}": value for name, value in accepted_parameters(finalist.parameters).items()}
