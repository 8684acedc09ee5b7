"""The model document of a registered version opens without a network and prints."""

from pathlib import Path

from experiments.document import write_document
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHALLENGER
from pipelines.storage.workspace import Workspace
from tests.chromium import open_page, print_page
from tests.evidence.commands import answer
from tests.evidence.conftest import Evidence
from tests.real_parts import needs_chromium


@needs_chromium
def test_the_document_of_a_registered_version_opens_and_prints(evidence: Evidence, tmp_path: Path) -> None:
    page = _document(tmp_path, trials=evidence.size(full=12, reduced=2))
    shown = {width: open_page(page, width=width) for width in (1280, 400)}
    printed = print_page(page)
    pages = printed.count(b"/Type /Page\n")
    console = sum(len(one.console) for one in shown.values())
    requests = sum(len(one.requests) for one in shown.values())
    wide = [width for width, one in shown.items() if one.wide]
    holds = not console and not requests and not wide and printed.startswith(b"%PDF") and pages > 1
    evidence.record(
        "32-model-document",
        claim="the model document of a registered version in headless Chromium with the network off, at 1280 and 400 "
        "pixels, and printed to PDF on A4",
        value=f"{console} console messages, {requests} requests, {len(wide)} widths cut off, {pages} PDF pages",
        bound="0, 0, 0, more than 1",
        holds=holds,
    )
    assert holds


def _document(workspace: Path, trials: int) -> Path:
    answer("tune", "candidate=scorecard", f"trials={trials}", f"workspace={workspace}")
    # A promotion request judges the version and writes its document; without one, what was known at registration.
    store = ModelStore(Workspace.at(str(workspace)))
    version = store.aliased("credit_score", CHALLENGER)
    assert version is not None
    return write_document(store, version, [])
