"""The speed of a version is kept beside its evidence, once, and shown in the document."""

from pathlib import Path

from experiments.evidence.timing import attach_timing, read_timing, timing_path
from pipelines.model_store.store import ModelStore
from pipelines.storage.workspace import Workspace
from tests.experiments.ledgers import registered

HASH = "ab" * 32
TIMING = {"rows": 2000, "rows_per_second": 1e6, "one_row_ms": 0.5}


def test_the_first_timing_of_evidence_stays(tmp_path: Path) -> None:
    store = ModelStore(Workspace(tmp_path / "workspace"))
    version = registered(store, "timed", 1)
    assert read_timing(store, version, HASH) is None
    attach_timing(store, version, HASH, TIMING)
    attach_timing(store, version, HASH, TIMING | {"rows": 1})
    assert read_timing(store, version, HASH) == TIMING


def test_a_timing_that_a_kill_left_half_written_is_replaced(tmp_path: Path) -> None:
    store = ModelStore(Workspace(tmp_path / "workspace"))
    version = registered(store, "timed", 1)
    attach_timing(store, version, HASH, TIMING | {"rows": 1})
    path = store.attached(version, str(timing_path(HASH)))
    assert path is not None
    path.write_text('{"rows": 2')
    attach_timing(store, version, HASH, TIMING)
    assert read_timing(store, version, HASH) == TIMING
