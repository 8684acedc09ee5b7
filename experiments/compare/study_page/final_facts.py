"""What a study registered: parts and weights, and how the AUC shrank from validation to test."""

import json

from experiments.compare.studies import StudyRecord
from experiments.compare.study_page.search_facts import Record
from experiments.experiment.recorded_settings import FAMILY
from experiments.search.measured_cost import measured_cost_of
from experiments.search.trial_result import AUCS, FOLDS
from pipelines.credit.paired_folds import paired_difference
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.tags import CV_AUC, PARTS, TRIAL


def final_facts(study: StudyRecord, version: RegisteredModel | None) -> Record:
    """Return the registered version with its parts, and its AUC in the search and on the test part."""
    if version is None:
        return {"missing": "the study has registered no version, or it was deleted"}
    final, evaluation = study.final or {}, version.evaluation
    searched, test = float(version.tags[CV_AUC]), evaluation["measures"]["auc"]
    return {
        "version": version.version,
        "label": version.tags[TRIAL],
        "cost": final.get("cost"),
        "measured_cost": measured_cost_of(version),
        "gain": final.get("gain"),
        "gain_se": final.get("gain_se"),
        "parts": _parts(study, version),
        "search_auc": searched,
        "search_interval": _search_interval(study, version),
        "test_auc": test,
        "shrinkage": searched - test["value"],
        "test_rows": evaluation["rows"],
        "test_bad": evaluation["bad"],
        "calibration": {name: evaluation["measures"].get(f"calibration_{name}") for name in ("slope", "intercept")},
    }


def _parts(study: StudyRecord, version: RegisteredModel) -> list[Record]:
    """Return the parts of a blend or an average with their trials; none of a single model."""
    final = study.final or {}
    parts = final.get("parameters", {}).get("parts", [])
    numbers = [*final.get("weights", {})] if len(final.get("weights", {})) == len(parts) else [None] * len(parts)
    models = [part.get("models") for part in json.loads(version.tags.get(PARTS, "[]"))]
    models = models if len(models) == len(parts) else [None] * len(parts)
    return [
        {
            "trial": number,
            "family": part["family"],
            "weight": part["weight"],
            "models": of_part,
            "parameters": {name: value for name, value in part["parameters"].items() if name != FAMILY},
        }
        for number, part, of_part in zip(numbers, parts, models, strict=True)
    ]


def _search_interval(study: StudyRecord, version: RegisteredModel) -> Record | None:
    """Return the interval of the AUC of the registered trial over its folds; None for a blend, or without a record."""
    label = version.tags[TRIAL].rpartition(" ")[2]
    trial = next((one for one in study.trials if str(one.number) == label), None)
    aucs = [] if trial is None or "blend" in version.tags[TRIAL] else trial.notes.get(AUCS, [])
    folds = study.name.notes.get(FOLDS)
    if len(aucs) < 2 or folds is None:
        return None
    over_folds = paired_difference([float(one) for one in aucs], folds["held_out_to_fit"])
    return {"value": over_folds.value, "low": over_folds.low, "high": over_folds.high, "folds": len(aucs)}
