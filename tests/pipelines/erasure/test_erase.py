"""A person's rows are removed everywhere, and all other rows stay as they were."""

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from pipelines.command.verb import ExitCode
from pipelines.erasure import erase as erasing
from pipelines.erasure import verify
from pipelines.erasure.erase import erase
from pipelines.erasure.settings import EraseSettings
from pipelines.erasures.record import Erasures, read_erasures
from pipelines.erasures.salt import Kind
from pipelines.errors import RequestError, ThinfileError
from pipelines.storage.chain import Chain
from pipelines.storage.workspace import Workspace
from tests.conftest import Answer
from tests.pipelines.erasure.filled_workspace import (
    GONE,
    STAYS,
    Killed,
    gone_decisions,
    rows_below,
    settings,
    theirs,
    written,
)


def test_the_rows_of_one_person_go_and_all_others_stay_in_order(filled: Workspace, gone: Callable[..., Any]) -> None:
    before = rows_below(filled)
    outcome = gone(why="asked for it")
    decisions = gone_decisions()
    assert rows_below(filled) == {
        path: [row for row in rows if not theirs(row, decisions)] for path, rows in before.items()
    }
    assert outcome.result["rows"] == {
        "lake/marketplace/clean/applications": 2,
        "lake/marketplace/clean/customers": 1,
        "lake/marketplace/clean/instalments": 1,
        "lake/marketplace/prepared/applications/mature": 2,
        "lake/marketplace/quarantine": 1,
        "score_log/decisions": 2,
        "score_log/features": 2,
        "score_log/protected": 2,
    }
    assert (outcome.result["applications"], outcome.result["decisions"]) == (2, 2)
    assert outcome.result["sources_outside"] == ["/elsewhere"]


def test_no_file_names_the_person_afterwards(filled: Workspace, gone: Callable[..., Any]) -> None:
    assert gone().result["still_named_in"] == []
    for path in (one for one in filled.root.rglob("*") if one.is_file()):
        content = path.read_bytes()
        assert not any(name.encode() in content for name in (GONE, "APP-0001", "APP-0003"))


def test_a_second_command_finds_nothing_left(filled: Workspace, gone: Callable[..., Any]) -> None:
    gone()
    before = {path: path.stat().st_mtime_ns for path in filled.root.rglob("*.parquet")}
    outcome = gone()
    assert (outcome.exit_code, outcome.result["erased"], outcome.result["entry"]) == (ExitCode.DONE, False, 2)
    assert str(outcome.summary[0]).startswith("ALREADY ERASED on ")
    assert {path: path.stat().st_mtime_ns for path in filled.root.rglob("*.parquet")} == before
    assert len(Chain(filled, "erasures").entries()) == 2


def test_an_unknown_customer_is_recorded_for_later_deliveries(filled: Workspace, gone: Callable[..., Any]) -> None:
    before = rows_below(filled)
    outcome = gone("NOBODY")
    assert (outcome.exit_code, outcome.result["erased"], outcome.result["rows"]) == (ExitCode.DONE, False, {})
    assert "RECORDED: no row of the workspace has this customer in a column customer_id" in str(outcome.summary[0])
    assert rows_below(filled) == before
    assert read_erasures(filled).erased(Kind.customer, "NOBODY") is not None
    assert str(gone("NOBODY").summary[0]).startswith("ALREADY ERASED on ")
    assert len(Chain(filled, "erasures").entries()) == 2


def whole_numbers(workspace: Workspace) -> None:
    for path in workspace.root.rglob("*.parquet"):
        path.unlink()
    written(pa.table({"customer_id": [7, 8], "x": [1.0, 2.0]}), workspace.root / "numbers" / "part.parquet")


def test_an_id_that_no_customer_can_have_is_refused(filled: Workspace, gone: Callable[..., Any]) -> None:
    whole_numbers(filled)
    with pytest.raises(RequestError, match="without zeros in front; write it as they are written: customer=7"):
        gone("0000007")
    written(pa.table({"customer_id": ["0000007", None]}), filled.root / "texts" / "part.parquet")
    with pytest.raises(RequestError, match="customer is 'C-7', and every customer of the workspace is a whole number"):
        gone("C-7")
    assert read_erasures(filled) == Erasures()
    written(pa.table({"customer_id": ["C-8"]}), filled.root / "texts" / "more.parquet")
    assert gone("C-7").exit_code is ExitCode.DONE


def test_ids_that_look_alike_stay_and_are_named(filled: Workspace, gone: Callable[..., Any]) -> None:
    whole_numbers(filled)
    written(pa.table({"customer_id": ["0000007", " 7", "77"]}), filled.root / "texts" / "part.parquet")
    outcome = gone("0000007")
    assert outcome.result["rows"] == {"texts": 1}
    assert outcome.result["lookalikes"] == {" 7": ["texts"], "7": ["numbers"]}
    assert any("another id that looks like this one: '7' in numbers" in str(line) for line in outcome.summary)


def test_verify_looks_in_the_columns_that_were_searched(filled: Workspace, gone: Callable[..., Any]) -> None:
    written(pa.table({"client_no": [GONE, "x"]}), filled.root / "own" / "clients.parquet")
    gone(columns=["client_no"])
    written(pa.table({"client_no": [GONE]}), filled.root / "own" / "more.parquet")
    assert "1 erased customers are again in own" in str(verify.verify(settings(filled)).result["findings"])


def test_a_reason_does_not_name_the_person(gone: Callable[..., Any]) -> None:
    with pytest.raises(RequestError, match="reasons are stored permanently"):
        gone(why=f"{GONE} asked for it")


@pytest.mark.parametrize("step", range(14))
def test_stopped_at_any_step_the_same_command_finishes(
    step: int, filled: Workspace, gone: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, steps = rows_below(filled), iter(range(99))

    def stepping(function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            if next(steps) == step:
                raise Killed
            return function(*arguments, **named)

        return run

    with monkeypatch.context() as patched:
        for name in ("remove_rows", "write_erasure", "note_in_manifests", "fingerprint_folder", "_outcome"):
            patched.setattr(erasing, name, stepping(getattr(erasing, name)))
        with pytest.raises(Killed):
            gone(why="asked for it")
    gone(why="asked for it")
    decisions = gone_decisions()
    assert rows_below(filled) == {
        path: [row for row in rows if not theirs(row, decisions)] for path, rows in before.items()
    }
    _, ended = Chain(filled, "erasures").entries()
    assert sum(ended.content["rows"].values()) == 13  # type: ignore[attr-defined]
    (change, _) = ended.content["data"]  # type: ignore[misc]
    assert read_erasures(filled).leads_to(change["before"], change["after"]) == [ended]
    (note,) = json.loads((filled.lake / "marketplace" / "manifest.json").read_text())["erasures"]
    assert (note["entry"], note["rows"], note["training_fingerprint_before"]) == (1, 7, "before")
    assert not (filled.root / "erasure.json").exists()


def killed_at_the_first_file(gone: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(erasing, "remove_rows", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            gone()


def test_an_unfinished_erasure_is_finished_before_another(
    filled: Workspace, gone: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_at_the_first_file(gone, monkeypatch)
    assert oct((filled.root / "erasure.json").stat().st_mode)[-3:] == "600"
    with pytest.raises(RequestError, match="an earlier erasure is unfinished"):
        gone(STAYS)
    gone()
    assert gone(STAYS).result["erased"]


def test_rows_that_came_while_it_lay_unfinished_go_too(
    filled: Workspace, gone: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_at_the_first_file(gone, monkeypatch)
    written(pa.table({"application_id": ["APP-0003"], "customer_id": [GONE]}), filled.root / "late" / "part.parquet")
    assert gone().result["rows"]["late"] == 1


def test_two_marketplaces_may_number_their_applications_alike(filled: Workspace, gone: Callable[..., Any]) -> None:
    other = filled.lake / "other"
    written(pa.table({"application_id": ["APP-0001"], "customer_id": ["SOMEBODY"]}), other / "applications.parquet")
    written(pa.table({"application_id": ["APP-0001"], "number": [1]}), other / "instalments.parquet")
    assert not any("other" in kind for kind in gone().result["rows"])


def test_columns_and_applications_that_only_the_user_knows(filled: Workspace, gone: Callable[..., Any]) -> None:
    written(pa.table({"client_no": [GONE, "x"]}), filled.root / "own" / "clients.parquet")
    assert gone().result["not_searched"] == ["own/clients.parquet"]
    assert gone(columns=["client_no"]).result["rows"] == {"own": 1}
    assert gone("CLIENT-5", applications=["APP-0002"]).result["rows"]["score_log/decisions"] == 1


def test_a_table_that_cannot_be_read_stops_it_before_anything_is_written(
    filled: Workspace, gone: Callable[..., Any]
) -> None:
    before = rows_below(filled)
    broken = filled.lake / "marketplace" / "broken.parquet"
    broken.write_bytes(b"no table")
    with pytest.raises(ThinfileError, match="cannot be read"):
        gone()
    broken.unlink()
    assert rows_below(filled) == before


def test_a_customer_is_required(workspace: Workspace, filled: Workspace) -> None:
    with pytest.raises(RequestError, match="customer is not set; add customer=ID"):
        erase(EraseSettings(workspace=str(filled.root)))


@pytest.mark.integration
def test_the_command(filled: Workspace, thinfile: Callable[..., Answer]) -> None:
    written(pa.table({"customer_id": ["007", "7"]}), filled.root / "numbers" / "part.parquet")
    assert thinfile("erase", "customer=007", "why=asked", "output=json").json["rows"] == {"numbers": 1}
    told = thinfile("erase", f"customer={GONE}").stdout
    assert told.startswith("ERASED: 13 rows of one customer from 8 files (2 applications, 2 decisions; entry 4)")
    assert thinfile("erase", "history").stdout.startswith("2 erasures")
    assert thinfile("erase", "verify").exit_code == 0
