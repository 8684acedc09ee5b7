"""The Pareto front of a study with a second objective: in the summary, and in MLflow as JSON and as a chart."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from markupsafe import Markup

from experiments.experiment.experiment import Experiment
from experiments.search.finalists import Finalist
from experiments.search.front import non_dominated, second_of, spread
from experiments.search.front_chart import FrontPoint, draw_front, lowest_shown
from experiments.search.second_objective import Second, second_objective_of
from experiments.search.study import SCORE
from experiments.search.tracking import Tracking
from experiments.search.trial_result import TrialResult
from pipelines.charts.number_formats import number
from pipelines.charts.plot import Axis
from pipelines.charts.standalone import write_chart
from pipelines.command.verb import Outcome
from pipelines.storage.atomic_files import scratch_folder

MOST_POINTS = 8
"""So many points of a front are named in the summary and in the chart; the JSON has all."""

FARTHEST = 0.05
"""Points with so much AUC less than the best are not named unless they are registered: they are cheap and worthless."""

MARGIN = 0.002
"""So much AUC below the front is shown at least."""

FRONT_JSON, FRONT_CHART = "front.json", "front.svg"


def front_record(second: Second, trials: Sequence[TrialResult], finalist: Finalist) -> dict[str, Any]:
    """Return the front as JSON values, the highest AUC first, and the trials of what is registered."""
    points = [
        {
            "trial": trial.number,
            "cv_auc": trial.value,
            second.note: second_of(trial),
            "parameters": dict(trial.parameters),
        }
        for trial in non_dominated(trials)
    ]
    return {"objectives": [SCORE, second.title], "registered": sorted(finalist.weights), "points": points}


def with_front(
    outcome: Outcome, tracking: Tracking, experiment: Experiment, trials: Sequence[TrialResult], finalist: Finalist
) -> Outcome:
    """Return the outcome of a study with its front, which is logged too; as it is without a second objective."""
    second = second_objective_of(experiment.settings)
    if second is None:
        return outcome
    record = front_record(second, trials, finalist)
    _log(tracking, experiment, second, trials, record)
    lines = _summary(second, trials, record)
    return replace(outcome, result={**outcome.result, "front": record}, summary=[*outcome.summary, *lines])


def _log(
    tracking: Tracking, experiment: Experiment, second: Second, trials: Sequence[TrialResult], record: Mapping[str, Any]
) -> None:
    with scratch_folder(tracking.store.workspace.root) as folder:
        (folder / FRONT_JSON).write_text(json.dumps(record, indent=1))
        title = f"{experiment.family}: AUC against {second.title}"
        write_chart(folder / FRONT_CHART, front_chart(second, trials, record), title)
        tracking.store.log_files(tracking.run_id, folder)


def front_chart(second: Second, trials: Sequence[TrialResult], record: Mapping[str, Any]) -> Markup:
    """Return a chart of all trials and of the front, with the numbers of its trials."""
    front = non_dominated(trials)
    named = _named(front, record)
    lowest = lowest_shown([trial.value for trial in named], MARGIN)
    shown = [trial for trial in trials if trial.value >= lowest]
    return draw_front(
        f"Cross-validated AUC against {second.title} of {len(trials)} trials; {len(front)} are on the front.",
        Axis.over(second.title, [0.0, *map(second_of, shown)], lambda value: f"{value:.3g}"),
        Axis.over("AUC, cross-validated", [lowest, *(trial.value for trial in named)], lambda v: number(v, 3)),
        tried=[(second_of(trial), trial.value) for trial in shown],
        front=[
            FrontPoint(second_of(trial), trial.value, _name(trial, record), trial.number in record["registered"])
            for trial in named
        ],
    )


def _summary(second: Second, trials: Sequence[TrialResult], record: Mapping[str, Any]) -> list[str]:
    front = non_dominated(trials)
    return [
        f"  front of AUC and {second.title}, {len(front)} of {len(trials)} trials:",
        *(f"    trial {one.number}: {one.value:.4f}, {second_of(one):.3g}{_mark(one, record)}"
          for one in _named(front, record)),
        "  choose=TRIAL registers another point",
    ]  # fmt: skip


def _named(front: Sequence[TrialResult], record: Mapping[str, Any]) -> list[TrialResult]:
    registered = [one for one in front if one.number in record["registered"]]
    near = [one for one in front if one.value >= front[0].value - FARTHEST or one in registered]
    return spread(near, MOST_POINTS, always=registered or near[:1])


def _name(trial: TrialResult, record: Mapping[str, Any]) -> str:
    return f"trial {trial.number}{', registered' if record['registered'] == [trial.number] else ''}"


def _mark(trial: TrialResult, record: Mapping[str, Any]) -> str:
    if trial.number not in record["registered"]:
        return ""
    return " (registered)" if len(record["registered"]) == 1 else " (a part of what is registered)"
