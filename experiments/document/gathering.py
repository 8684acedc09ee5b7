"""Gathers the facts about a version from the store, and attaches its document to the model."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from experiments.document.facts import DocumentFacts, FeatureFact, Record, SearchFacts
from experiments.document.page import document
from experiments.evidence.evidence_files import HASH, read_evidence, sealed
from experiments.experiment.recorded_settings import settings_of
from experiments.experiment.registered_trials import registered_weights, trials_in_words
from pipelines.candidates.portable_model import read_card
from pipelines.marketplace.manifest import manifest_beside
from pipelines.model_store.files import DOCUMENT, FILES, PROFILE
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import (
    CANDIDATE,
    CV_AUC,
    DATA_RECORD,
    EVALUATION,
    MODEL_HASH,
    PARAMETERS,
    PROVENANCE,
    STUDY,
    TRIAL,
)
from pipelines.profiles.column_names import feature_named
from pipelines.profiles.reference_profile import SCORE, ReferenceProfile
from pipelines.storage.atomic_files import scratch_folder
from pipelines.storage.chain import Entry


def write_document(
    store: ModelStore, model: RegisteredModel, entries: Sequence[Record], evidence: Record | None = None
) -> Path:
    """Write the document of a version, replacing an earlier one, and return its path.

    `entries` are those of the model's ledger, oldest first; `evidence` is the record of the latest request.

    Raises:
        RequestError: the version is not a logged model of MLflow 3, which accepts files.
    """
    page = sealed(document(gather(store, model, entries, evidence)))
    with scratch_folder(store.workspace.root) as folder:
        (folder / DOCUMENT).write_text(page)
        store.attach(model, folder)
    return store.download(model) / DOCUMENT


def renew_document(store: ModelStore, model: str, version: object, entries: Sequence[Entry]) -> Path:
    """Write the document of a version again after a decision, with the evidence of its last request."""
    registered = store.version(model, int(str(version)))
    judged = [entry for entry in entries if entry.content["version"] == version and HASH in entry.content]
    folder = store.download(registered)
    evidence = read_evidence(folder, str(judged[-1].content[HASH])) if judged else None
    records = [{"sequence": entry.sequence, "written_at": entry.written_at} | dict(entry.content) for entry in entries]
    return write_document(store, registered, records, evidence)


def gather(
    store: ModelStore, model: RegisteredModel, entries: Sequence[Record], evidence: Record | None = None
) -> DocumentFacts:
    """Return the facts about a version; a model from elsewhere has no run, and few facts."""
    settings = store.read_record(model.run_id)
    prepared = manifest_beside(settings_of(settings).data) if settings else {}
    return DocumentFacts(
        model=model.name,
        version=model.version,
        family=model.tags.get(CANDIDATE, "from elsewhere"),
        registered_at=datetime.fromtimestamp(model.created, UTC).isoformat(timespec="seconds"),
        run_id=model.run_id,
        model_hash=model.tags.get(MODEL_HASH),
        purpose=store.description(model.name),
        settings=settings,
        data=store.read_record(model.run_id, DATA_RECORD),
        prepared=prepared or None,
        provenance=store.read_record(model.run_id, PROVENANCE),
        features=tuple(_features(store.download(model), settings or {}, prepared)),
        parts=tuple(_card(store.download(model)).get("parts", ())),
        search=_search(store, model),
        measured=json.loads(model.tags[EVALUATION]) if EVALUATION in model.tags else None,
        evidence=evidence,
        entries=tuple(entries),
    )


def _features(folder: Path, settings: Record, prepared: Record) -> Iterator[FeatureFact]:
    if not (folder / PROFILE).exists():
        return
    profile = ReferenceProfile.from_json((folder / PROFILE).read_text())
    meanings, catalogue = _card(folder).get("meanings", {}), {one["name"]: one for one in prepared.get("features", [])}
    data = settings.get("data") or {}
    for bins in profile.bins:
        if bins.column == SCORE:
            continue
        name = feature_named(bins.column)
        described: Mapping[str, Any] = meanings.get(name) or catalogue.get(name) or {}
        meaning = (data.get("meanings") or {}).get(name) or described.get("meaning", "")
        yield FeatureFact(
            name=name,
            kind="categorical" if bins.edges is None else "numeric",
            meaning="" if meaning == _name_in_words(name) else meaning,
            group=(data.get("reason_groups") or {}).get(name) or described.get("group", ""),
            direction=catalogue.get(name, {}).get("direction", ""),
            missing=profile.counts[bins.column][0] / profile.rows if profile.rows else None,
        )


def _card(folder: Path) -> dict[str, Any]:
    """Return the content of model.json; nothing for a model from elsewhere."""
    return read_card(folder / FILES) if (folder / FILES / "model.json").exists() else {}


def _name_in_words(name: str) -> str:
    """Return the meaning that model.json has for a feature without a description."""
    return re.sub(r"[\W_]+", " ", name).strip()


def _figures(parameters: Mapping[str, str]) -> dict[str, float | int | str]:
    """Convert the parameters, which MLflow stores as text, to numbers."""
    figures: dict[str, float | int | str] = {}
    for name, text in parameters.items():
        try:
            figures[name] = int(text) if text.lstrip("-").isdigit() else float(text)
        except ValueError:
            figures[name] = text
    return figures


def _search(store: ModelStore, model: RegisteredModel) -> SearchFacts | None:
    if model.run_id is None or STUDY not in model.tags or TRIAL not in model.tags:
        return None
    trials = [
        {
            "number": int(run.data.tags[TRIAL]),
            "cv_auc": run.data.metrics.get("cv_auc"),
            "parameters": _figures(run.data.params),
        }
        for run in store.children(model.run_id)
        if TRIAL in run.data.tags
    ]
    chosen = registered_weights(model.tags[TRIAL], json.loads(model.tags.get(PARAMETERS, "{}")))
    return SearchFacts(
        study=model.tags[STUDY],
        chosen=tuple(chosen),
        made_from=trials_in_words(model.tags[TRIAL], list(chosen)),
        cv_auc=float(model.tags[CV_AUC]) if CV_AUC in model.tags else None,
        best_so_far=tuple(store.read_trace(model.run_id, "best_cv_auc")),
        trials=tuple(sorted(trials, key=lambda trial: (-(trial["cv_auc"] or 0.0), trial["number"]))),
    )
