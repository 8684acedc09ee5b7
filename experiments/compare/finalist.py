"""What a study registered, in words: one trial, an average or a blend with its parts, weights and gain."""

from collections.abc import Mapping
from typing import Any

from experiments.compare.studies import StudyRecord
from experiments.compare.study_rows import best_version, cost_of, search_and_test
from experiments.experiment.recorded_settings import FAMILY
from experiments.search.measured_cost import cost_lines, measured_cost_of
from experiments.search.trial_result import COST
from pipelines.model_store.tags import TRIAL


def finalist_record(record: StudyRecord) -> dict[str, Any] | None:
    """Return what a study registered, None before it has: its parts with their weights, the AUCs, cost and gain."""
    version = best_version(record.versions)
    if version is None:
        return None
    notes = {trial.number: trial.notes for trial in record.trials}
    final: Mapping[str, Any] = record.final if record.final and record.final["label"] == version.tags[TRIAL] else {}
    weights = {int(number): weight for number, weight in final.get("weights", {}).items()}
    return {
        "version": version.version,
        "label": version.tags[TRIAL],
        **search_and_test(version),
        "cost": cost_of(notes, version),
        "measured_cost": measured_cost_of(version),
        "gain": final.get("gain"),
        "gain_se": final.get("gain_se"),
        "parts": [_part(record, number, weight) for number, weight in weights.items()],
    }


def _part(record: StudyRecord, number: int, weight: float) -> dict[str, Any]:
    trial = next(one for one in record.trials if one.number == number)
    family = trial.parameters.get(FAMILY) or record.name.candidate
    return {"trial": number, "family": family, "weight": weight, "cv_auc": trial.value, "cost": trial.notes.get(COST)}


def finalist_lines(final: Mapping[str, Any] | None) -> list[str]:
    """Return what a study registered, for people."""
    if final is None:
        return ["nothing is registered yet: the same `thinfile tune` command goes on and registers the best model"]
    label = f"trial {final['label']}" if final["label"].isdigit() else final["label"]
    lines = [
        f"version {final['version']}: {label}; search AUC {final['cv_auc']:.4f}, test AUC {final['test_auc']:.4f} "
        f"(shrinkage {final['shrinkage']:.4f})",
        *cost_lines(final["cost"], final["measured_cost"]),
    ]
    if len(final["parts"]) > 1:
        lines += [f"  {part['weight']:.0%} trial {part['trial']}, {part['family']}" for part in final["parts"]]
    if final["gain"] is not None:
        lines.append(
            f"  the blend gains {final['gain']:.4f} (standard error {final['gain_se']:.4f}) over the best single "
            "trial, on folds that had no part in choosing"
        )
    return lines
