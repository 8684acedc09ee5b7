"""Gathers the facts about a version from the store, and attaches its document to the model."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from experiments.document.content import content_of
from experiments.document.facts import DocumentFacts, FeatureFact, Record, SearchFacts
from experiments.document.page import page_of
from experiments.evidence.evidence_files import HASH, SEALED, read_evidence, sealed
from experiments.evidence.timing import read_timing
from experiments.experiment.recorded_settings import settings_of
from experiments.experiment.registered_trials import registered_weights, trials_in_words
from pipelines.candidates.portable_model import read_card
from pipelines.marketplace.manifest import manifest_beside
from pipelines.model_store.files import DOCUMENT, DOCUMENT_JSON, FILES
from pipelines.model_store.profile import profile_path
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import (
    CANDIDATE,
    CV_AUC,
    DATA_RECORD,
    EXPERIMENT,
    MODEL_HASH,
    PARAMETERS,
    PROVENANCE,
    STUDY,
    TRIAL,
)
from pipelines.profiles.column_names import feature_named
from pipelines.profiles.reference_profile import SCORE, ReferenceProfile
from pipelines.secrets.environment_text import EnvironmentMissing
from pipelines.storage.atomic_files import scratch_folder
from pipelines.storage.chain import Entry
from pipelines.storage.fingerprint import fingerprint_record


def write_document(
    store: ModelStore, model: RegisteredModel, entries: Sequence[Record], evidence: Record | None = None
) -> Path:
    """Write the document of a version, a page and the same content as JSON, and return the path of the page.

    Both replace earlier ones.
    `entries` are those of the model's ledger, oldest first; `evidence` is the record of the latest request.
    """
    content = content_of(gather(store, model, entries, evidence))
    with scratch_folder(store.workspace.root) as folder:
        (folder / DOCUMENT).write_text(sealed(page_of(content)))
        (folder / DOCUMENT_JSON).write_text(json.dumps(content | {SEALED: fingerprint_record(content)}, indent=1))
        store.attach(model, folder)
    path = store.attached(model, DOCUMENT)
    assert path is not None
    return path


def renew_document(store: ModelStore, model: str, version: object, entries: Sequence[Entry]) -> str:
    """Write the document of a version again after a decision, with the evidence of its last request.

    MLflow's description of the version then links it and names the decision. Returns where people open the document.
    """
    registered = store.version(model, int(str(version)))
    write_document(store, registered, *records_and_evidence(store, registered, entries))
    store.describe(registered, _links(store, registered, entries))
    place = store.shown_place(registered, DOCUMENT)
    assert place is not None
    return place


def _links(store: ModelStore, model: RegisteredModel, entries: Sequence[Entry]) -> dict[str, str]:
    """Return the lines of a version's description that lead to its document and its last entry in the ledger."""
    own = [entry for entry in entries if entry.content.get("version") == model.version]
    page = store.page_of(model, DOCUMENT)
    document = {"Model": model.in_words()} if CANDIDATE in model.tags else {}
    document |= {} if page is None else {"Document": f"[{DOCUMENT}]({page})"}
    if not own:
        return document
    decided = f"entry {own[-1].sequence}, {own[-1].content['decision']} on {own[-1].written_at[:10]}"
    return document | {"Ledger": f"{decided} (`thinfile promote history`)"}


def records_and_evidence(
    store: ModelStore, model: RegisteredModel, entries: Sequence[Entry]
) -> tuple[list[Record], Record | None]:
    """Return what a document has of entries: their contents, and the evidence of the last judgement of the version.

    Raises:
        ThinfileError: the evidence is missing or was changed.
    """
    judged = [entry for entry in entries if entry.content.get("version") == model.version and HASH in entry.content]
    evidence = _evidence_of(store, model, judged[-1]) if judged else None
    records: list[Record] = [
        {"sequence": entry.sequence, "written_at": entry.written_at} | dict(entry.content) for entry in entries
    ]
    return records, evidence


def _evidence_of(store: ModelStore, model: RegisteredModel, entry: Entry) -> Record:
    """Return the evidence of a request or refusal, with the time of its entry and the timing that is kept beside it."""
    evidence_hash = str(entry.content[HASH])
    evidence = read_evidence(store, model, evidence_hash)
    beside = {"timing": read_timing(store, model, evidence_hash)} if "timing" not in evidence else {}
    return evidence | beside | {"about": {"made_at": entry.written_at} | evidence["about"]}


def gather(
    store: ModelStore, model: RegisteredModel, entries: Sequence[Record], evidence: Record | None = None
) -> DocumentFacts:
    """Return the facts about a version; a model from elsewhere has no run, and few facts."""
    settings = store.read_record(model.run_id)
    prepared = _prepared(settings) if settings else {}
    return DocumentFacts(
        model=model.name,
        version=model.version,
        family=model.tags.get(CANDIDATE, "from elsewhere"),
        registered_at=datetime.fromtimestamp(model.created, UTC).isoformat(timespec="seconds"),
        experiment=model.tags.get(EXPERIMENT),
        run_id=model.run_id,
        model_hash=model.tags.get(MODEL_HASH),
        purpose=store.description(model.name),
        settings=settings,
        data=store.read_record(model.run_id, DATA_RECORD),
        prepared=prepared or None,
        provenance=store.read_record(model.run_id, PROVENANCE),
        features=tuple(_features(store, model, settings or {}, prepared)),
        parts=tuple(_card(store.download(model)).get("parts", ())),
        search=_search(store, model),
        measured=model.evaluation or None,
        evidence=evidence,
        entries=tuple(entries),
    )


def _prepared(settings: Record) -> Record:
    """Return the manifest beside the data of a study; empty on a host whose environment does not name the data."""
    try:
        return manifest_beside(settings_of(settings).data)
    except EnvironmentMissing:
        return {}


def _features(store: ModelStore, model: RegisteredModel, settings: Record, prepared: Record) -> Iterator[FeatureFact]:
    path = profile_path(store, model)
    if path is None:
        return
    profile = ReferenceProfile.from_json(path.read_text())
    meanings = _card(store.download(model)).get("meanings", {})
    catalogue = {one["name"]: one for one in prepared.get("features", [])}
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
