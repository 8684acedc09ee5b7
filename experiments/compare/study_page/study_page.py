"""Writes the page of a study: its numbers are computed once and kept with the study's run in MLflow."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.compare.studies import StudyRecord
from experiments.compare.study_page.final_facts import final_facts
from experiments.compare.study_page.front_facts import front_facts
from experiments.compare.study_page.page import study_html
from experiments.compare.study_page.refit_facts import refit_facts
from experiments.compare.study_page.search_facts import Record, search_facts
from experiments.compare.study_page.trial_calibration import best_few
from experiments.search.recorded_experiment import recorded_experiment
from experiments.search.run_record import RunRecord
from experiments.search.trial_result import best_of
from pipelines.errors import RequestError, ThinfileError
from pipelines.model_store.predictor import Predictor, load_predictor
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CONFIG, DATA_RECORD, REGISTERED
from pipelines.storage.atomic_files import scratch_folder, whole_file

NUMBERS, PAGE = "study_page.json", "study_page.html"
"""Names among the files of a study's run."""

FORMAT = 1
"""Numbers of another format are computed again."""


@dataclass(frozen=True)
class StudyPage:
    """Where the page of a study is, and its numbers as JSON values."""

    path: Path
    numbers: Record


def write_study_page(store: ModelStore, study: StudyRecord, families: Sequence[Record]) -> StudyPage:
    """Write the page of a study below the workspace's reports, and log it with its numbers to the study's run.

    `families` are the rows of `family_rows`. What needs models is computed at the first call; where it cannot be, the
    page names the reason.
    """
    config = store.read_record(study.run_id, CONFIG) or {"candidate": {"family": study.name.candidate, "space": {}}}
    version = _registered(store, study)
    refits = _refits(store, study, version)
    numbers: Record = {
        "study": study.name.identity,
        "candidate": study.name.candidate,
        "model": study.name.model,
        "run_id": study.run_id,
        "data": _data(store, study),
        "seed": config.get("seed"),
        "search": search_facts(study.trials, config),
        "behind": {row["family"]: row["behind"] for row in families},
        "front": front_facts(study.trials, config),
        "final": final_facts(study, version),
        **refits,
    }
    path = store.workspace.reports / "studies" / study.name.model / f"{study.name.short}.html"
    page = study_html(numbers)
    with whole_file(path) as temporary:
        temporary.write_text(page)
    if study.run_id is not None:
        with scratch_folder(store.workspace.root) as folder:
            (folder / NUMBERS).write_text(json.dumps(numbers, indent=1))
            (folder / PAGE).write_text(page)
            store.log_files(study.run_id, folder)
    return StudyPage(path, numbers)


def _registered(store: ModelStore, study: StudyRecord) -> RegisteredModel | None:
    """Return the version that the study registered, None before it has, or after that version was deleted."""
    if study.run_id is None:
        return None
    number = store.client.get_run(study.run_id).data.tags.get(REGISTERED)
    return next((version for version in study.versions if str(version.version) == number), None)


def _data(store: ModelStore, study: StudyRecord) -> Record:
    record: Mapping[str, Any] = store.read_record(study.run_id, DATA_RECORD) or {}
    features = [*record.get("numeric", []), *record.get("categorical", [])]
    kept = {name: record.get(name) for name in ("rows", "split", "fingerprint")}
    return {**kept, "features": len(features)}


def _refits(store: ModelStore, study: StudyRecord, version: RegisteredModel | None) -> Record:
    """Return what refits show, from the run where the same trials led to it before, and why it is missing."""
    try:
        record = RunRecord.read(store, study.run_id or "")
        basis = _basis(record, version)
        kept = store.read_record(study.run_id, NUMBERS)
        if kept is not None and kept.get("basis") == basis:
            return {"basis": basis, "refits": kept["refits"]}
        experiment = recorded_experiment(record, str(store.workspace.root))
    except ThinfileError as error:
        return {"basis": None, "refits": None, "refits_missing": str(error)}

    def predictor() -> Predictor:
        if version is None:
            raise RequestError("the study has registered no version, or it was deleted")
        return load_predictor(store, version, experiment.settings.policy.models, threads=experiment.settings.threads)

    return {"basis": basis, "refits": refit_facts(experiment, record.trials, predictor)}


def _basis(record: RunRecord, version: RegisteredModel | None) -> Record:
    """Return what decides the numbers that refits show."""
    return {
        "format": FORMAT,
        "best": best_of(record.trials).number,
        "calibrated": [trial.number for trial in best_few(record.trials)],
        "version": None if version is None else version.version,
    }
