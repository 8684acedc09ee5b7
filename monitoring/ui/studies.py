"""The newest experiments of a workspace, from the runs that its studies log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.model_store.tags import EXPERIMENT, KIND, REGISTERED, STUDY, STUDY_RUN

if TYPE_CHECKING:
    from mlflow.entities import Run

    from pipelines.model_store.store import ModelStore

MOST_STUDIES = 10


@dataclass(frozen=True)
class Study:
    """A study: when it began, its run, its AUC in the search and on the test part, and the version it registered."""

    began: str
    name: str
    study: str
    experiment: str
    status: str
    search_auc: float | None
    test_auc: float | None
    version: str


def newest_studies(store: "ModelStore") -> list[Study]:
    """Return the newest studies first."""
    experiments = [one.experiment_id for one in store.client.search_experiments()]
    runs = store.client.search_runs(
        experiments,
        filter_string=f"tags.`{KIND}` = '{STUDY_RUN}'",
        order_by=["attributes.start_time DESC"],
        max_results=MOST_STUDIES,
    )
    return [_study(run) for run in runs]


def _study(run: "Run") -> Study:
    metrics: Mapping[str, float] = run.data.metrics
    tags: Mapping[str, str] = run.data.tags
    return Study(
        began=datetime.fromtimestamp(run.info.start_time / 1000, UTC).strftime("%Y-%m-%d %H:%M"),
        name=str(run.info.run_name),
        study=tags.get(STUDY, ""),
        experiment=tags.get(EXPERIMENT, ""),
        status=run.info.status.lower(),
        search_auc=metrics.get("cv_auc", metrics.get("best_cv_auc")),
        test_auc=metrics.get("test_auc"),
        version=tags.get(REGISTERED, ""),
    )
