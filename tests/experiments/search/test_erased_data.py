"""Data that is other than it was: erased where the erasures explain all of it, and only then."""

from types import SimpleNamespace
from typing import Any

import pytest

from experiments.search.erased_data import Erased, erased_since
from pipelines.erasures.record import BEGUN, ERASED
from pipelines.erasures.salt import Kind, ensure_salt, hashed
from pipelines.storage.chain import Chain
from pipelines.storage.workspace import Workspace

RECORDED = {"fingerprint": "first", "asked": "asked first", "rows": 100}


@pytest.fixture
def erased(workspace: Workspace) -> Workspace:
    """A workspace in which two erasures took the data from first to second to third."""
    salt, chain = ensure_salt(workspace), Chain(workspace, "erasures")
    for turn, (before, after) in enumerate((("first", "second"), ("second", "third"))):
        about: dict[str, object] = {"by": "anna", "why": "", "customer": hashed(salt, Kind.customer, str(turn))}
        begun = chain.append(about | {"action": BEGUN, "applications": [], "decisions": []}, after=2 * turn)
        data = [{"path": "a", "before": before, "after": after}, {"path": "b", "before": "same", "after": "same"}]
        said = {"action": ERASED, "begun": begun.sequence, "rows": {}, "files": 1, "data": data}
        chain.append(about | said, after=begun.sequence)
    return workspace


def experiment(workspace: Workspace, now: str, asked: str = "asked first", **told: Any) -> Any:
    class Applications(SimpleNamespace):
        def __len__(self) -> int:
            return 97

    applications = Applications(**{"fingerprint": now, "fingerprint_with_erased": None} | told)
    everyone = Applications(fingerprint=asked, fingerprint_with_erased=None)
    return SimpleNamespace(
        settings=SimpleNamespace(workspace=str(workspace.root)), applications=applications, applicants=everyone
    )


def test_the_erasures_lead_from_what_was_recorded_to_what_is_there(erased: Workspace) -> None:
    assert erased_since(RECORDED, experiment(erased, "third")) == Erased(3, (2, 4))
    assert erased_since(RECORDED, experiment(erased, "second")) == Erased(3, (2,))


def test_rows_that_are_left_out_when_a_table_is_read_explain_it_too(erased: Workspace) -> None:
    assert erased_since(RECORDED, experiment(erased, "less", fingerprint_with_erased="first")) == Erased(3, ())


@pytest.mark.parametrize(("now", "asked"), [("tampered", "asked first"), ("third", "tampered"), ("first", "tampered")])
def test_whatever_else_was_changed_is_not_explained(now: str, asked: str, erased: Workspace) -> None:
    assert erased_since(RECORDED, experiment(erased, now, asked)) is None


def test_where_nobody_was_erased_nothing_is_explained(workspace: Workspace) -> None:
    assert erased_since(RECORDED, experiment(workspace, "second")) is None


def test_it_is_told_in_words() -> None:
    told = Erased(3, (2, 4)).sentence("run a")
    assert "3 rows of the data of run a were erased since (entries 2 and 4 of the erasures)" in told
