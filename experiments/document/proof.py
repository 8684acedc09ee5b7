"""Compares the document of a version with what the ledger, its evidence and the model's files show now."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from experiments.document.content import WRITTEN_BY, content_of
from experiments.document.decision import CROWNED, JUDGED
from experiments.document.gathering import gather, records_and_evidence
from experiments.document.page import page_of
from experiments.evidence.evidence_files import REMEDY, SEALED, attached_file, document_findings, sealed
from pipelines.errors import listed
from pipelines.model_store.files import DOCUMENT, DOCUMENT_JSON
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.storage.chain import Entry

MAY_CHANGE = ("registered_at", "run_id", "experiment", "purpose", "prepared", "search")
"""What MLflow and the data have, and no ledger: a description is edited, a version that was rebuilt has a new run."""

MOST_NAMED = 3


def document_differences(store: ModelStore, model: RegisteredModel, entries: Sequence[Entry]) -> Iterator[str]:
    """Yield where a document that is sealed does not say what the ledger and the evidence show.

    A document that other code wrote, that of an earlier version of Thinfile, is not written again to compare it.
    """
    page, record = (attached_file(store, model, name) for name in (DOCUMENT, DOCUMENT_JSON))
    if page is None or record is None or document_findings(store, model):
        return
    stored = json.loads(record.read_bytes())
    del stored[SEALED]
    count = len(stored.get("entries", ()))
    last = [one.sequence for one in entries if one.content.get("version") == model.version
            and one.content["decision"] in (*JUDGED, *CROWNED)]  # fmt: skip
    if last and last[-1] > count:
        yield f"its {DOCUMENT} is older than entry {last[-1]}, the last decision about it; {REMEDY}"
    records, evidence = records_and_evidence(store, model, entries[:count])
    expected = content_of(gather(store, model, records, evidence))
    if expected[WRITTEN_BY] != stored.get(WRITTEN_BY):
        return
    differs = [name for name, part in expected.items() if name not in MAY_CHANGE and stored.get(name) != part]
    if differs or stored.keys() != expected.keys():
        named = listed(differs or sorted(stored.keys() ^ expected.keys()), MOST_NAMED)
        yield f"its {DOCUMENT_JSON} differs from ledger and evidence ({named}); {REMEDY}"
    elif not _is_page_of(stored, page.read_text()):
        yield f"its {DOCUMENT} is not the page of its {DOCUMENT_JSON}; {REMEDY}"


def _is_page_of(content: dict[str, Any], page: str) -> bool:
    return sealed(page_of(content)) == page
