"""A person is erased: their rows alone go, everywhere; the rest stays as it was and says that it happened."""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import create_engine, text

from pipelines.applications.applications import load_applications
from pipelines.applications.settings import DataSettings, Source
from pipelines.applications.sources import read_table
from pipelines.command.verb import ExitCode
from pipelines.credit.population import Population
from pipelines.erasure import erase as erasing
from pipelines.erasure import verify
from pipelines.erasure.datasets import fingerprint_folder
from pipelines.erasure.erase import erase
from pipelines.erasure.files import look_for, remove
from pipelines.erasure.settings import EraseSettings
from pipelines.erasures.erased_rows import ErasedRows
from pipelines.erasures.person import Person
from pipelines.erasures.record import BEGUN, ERASED, Erasures, read_erasures
from pipelines.erasures.salt import Kind, ensure_salt, hashed, hashed_in_sql
from pipelines.errors import RequestError, ThinfileError
from pipelines.marketplace.intake import run_intake
from pipelines.reviews.review import review
from pipelines.reviews.reviews import Reviews, row_of
from pipelines.reviews.settings import ReviewAction, ReviewVerbSettings
from pipelines.score_log.key import LogKey, decision_ids
from pipelines.score_log.rolled_decisions import Rolled, RolledDecisions
from pipelines.score_log.score_log import PartitionFiles, ScoreLog
from pipelines.storage.chain import Chain, ChainBroken
from pipelines.storage.fingerprint import fingerprint_table
from pipelines.storage.workspace import Workspace, sqlite_url
from tests.conftest import Answer
from tests.pipelines.marketplace.shop import BUCKETS, a_shop, lay
from tests.pipelines.marketplace.shop import settings as raw_settings
from tests.pipelines.score_log.rows import decision_table

GONE, STAYS = "CUST-GONE-77", "CUST-STAYS-78"
APPLICATIONS = {"APP-0001": GONE, "APP-0002": STAYS, "APP-0003": GONE, "APP-0004": STAYS}
KEY = LogKey("credit_score", 1, Population.applications, "2026-01")
IDENTITY = "0123456789abcdef"


def written(table: pa.Table, path: Path, **how: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, **how)
    return path


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    """A workspace with a lake, its quarantine, a prepared table and a score log."""
    return fill(workspace)


def fill(workspace: Workspace) -> Workspace:
    lake = workspace.lake / "marketplace"
    ids, owners = list(APPLICATIONS), list(APPLICATIONS.values())
    prepared = pa.table({"application_id": ids, "customer_id": owners, "income": [1.0, 2.0, None, 4.0]})
    tables = {
        "clean/customers/bucket=0": pa.table({"customer_id": [STAYS, GONE], "sex": ["f", "m"]}),
        "clean/applications/bucket=0": prepared.select(["application_id", "customer_id"]),
        "clean/instalments/bucket=0": pa.table({"application_id": ["APP-0002", "APP-0001"], "number": [1, 1]}),
        "quarantine": pa.table({"customer_id": [f" {GONE} ", None], "broken_rule": ["x", "y"]}),
        f"prepared/{IDENTITY}/applications/mature": prepared.slice(0, 3),
        f"prepared/{IDENTITY}/applications/other": prepared.slice(3),
        f"prepared/{IDENTITY}/vintages": pa.table({"mob": [1], "observed": [4]}),
    }
    for folder, table in tables.items():
        written(table, lake / folder / "part.parquet")
    told = {"identity": IDENTITY, "training_fingerprint": "before", "configuration": {"raw": {"folder": "/elsewhere"}}}
    (lake / "manifest.json").write_text(json.dumps(told))
    log_decisions(workspace)
    return workspace


def log_decisions(workspace: Workspace) -> None:
    ids = np.array(list(APPLICATIONS))
    scores = {"raw_score": np.zeros(4), "pd": np.full(4, 0.5), "points": np.full(4, 405), "band": ["350-549"] * 4}
    about = {"application_id": ids, "decision": ["declined"] * 4}
    features = pd.DataFrame({"income": [1.0, 2.0, np.nan, 4.0]})
    table = decision_table(KEY, "model", "policy", "input", scores | about)
    ScoreLog(workspace).write(KEY, "part", table, PartitionFiles(features, pd.DataFrame({"sex": list("mfmf")})))


def settings(workspace: Workspace, customer: str = GONE, **told: Any) -> EraseSettings:
    return EraseSettings(workspace=str(workspace.root), customer=customer, **told)


@pytest.fixture
def gone(filled: Workspace) -> Callable[..., Any]:
    """Return the verb, for this workspace."""
    return lambda customer=GONE, **told: erase(settings(filled, customer, **told))


def rows_below(workspace: Workspace) -> dict[str, list[dict[str, Any]]]:
    files = sorted(path for path in workspace.root.rglob("*.parquet") if "~" not in path.name)
    return {str(one.relative_to(workspace.root)): pq.read_table(one, partitioning=None).to_pylist() for one in files}


def theirs(row: dict[str, Any], decisions: set[str]) -> bool:
    owned = {one for one, owner in APPLICATIONS.items() if owner == GONE}
    ids = {str(row.get("customer_id")).strip(), row.get("application_id"), row.get("decision_id")}
    return bool(ids & ({GONE} | owned | decisions))


def gone_decisions() -> set[str]:
    return set(decision_ids(KEY, "model", np.array([one for one, owner in APPLICATIONS.items() if owner == GONE])))


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


def test_the_chain_says_who_why_and_how_many_and_no_name(
    either_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled = fill(either_workspace)
    monkeypatch.setenv("THINFILE_DATABASE", filled.database or "")
    erase(settings(filled, why="asked for it"))
    begun, ended = Chain(filled, "erasures").entries()
    assert (begun.content["action"], begun.content["why"], bool(begun.content["by"])) == (BEGUN, "asked for it", True)
    assert (ended.content["action"], ended.content["begun"]) == (ERASED, 1)
    assert sum(ended.content["rows"].values()) == 13  # type: ignore[attr-defined]
    told = json.dumps([begun.content, ended.content])
    assert not any(name in told for name in (GONE, STAYS, *APPLICATIONS, *gone_decisions()))
    known = read_erasures(filled)
    assert known.erased(Kind.customer, GONE) == begun
    assert known.erased(Kind.customer, STAYS) is None
    assert all(known.erased(Kind.decision, one) for one in gone_decisions())


def test_a_second_command_finds_nothing_left(filled: Workspace, gone: Callable[..., Any]) -> None:
    gone()
    before = {path: path.stat().st_mtime_ns for path in filled.root.rglob("*.parquet")}
    outcome = gone()
    assert (outcome.exit_code, outcome.result["erased"], outcome.result["entry"]) == (ExitCode.DONE, False, 2)
    assert "NOTHING TO ERASE" in str(outcome.summary[0])
    assert {path: path.stat().st_mtime_ns for path in filled.root.rglob("*.parquet")} == before
    assert len(Chain(filled, "erasures").entries()) == 2


def test_a_nobody_is_told_and_nothing_is_written(filled: Workspace, gone: Callable[..., Any]) -> None:
    before = rows_below(filled)
    with pytest.raises(RequestError, match="no row of the workspace has 'NOBODY'"):
        gone("NOBODY")
    assert rows_below(filled) == before
    assert read_erasures(filled) == Erasures()


def test_a_reason_does_not_name_the_person(gone: Callable[..., Any]) -> None:
    with pytest.raises(RequestError, match="reasons are stored permanently"):
        gone(why=f"{GONE} asked for it")


class Killed(BaseException):
    pass


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


def test_what_is_erased_changes_the_fingerprints_that_a_replay_follows(
    filled: Workspace, gone: Callable[..., Any]
) -> None:
    folder = filled.lake / "marketplace" / "prepared" / IDENTITY / "applications"
    before = {one: fingerprint_folder(one) for one in (folder, folder / "mature")}
    gone()
    gone(STAYS)
    known = read_erasures(filled)
    for one, recorded in before.items():
        assert [entry.sequence for entry in known.leads_to(recorded, fingerprint_folder(one))] == [2, 4]
    assert known.leads_to(before[folder], "tampered") == []


def test_a_folder_has_the_fingerprint_that_a_study_records(tmp_path: Path) -> None:
    mixed = {"id": ["a", "b", None], "x": [1.0, None, 3.0], "n": [1, 2, None], "when": [datetime(2026, 1, 1)] * 3}
    table = pa.table(mixed).append_column("level", pa.array(["u", "v", "u"]).dictionary_encode())
    written(table, tmp_path / "table" / "a" / "1.parquet", row_group_size=2)
    written(table.slice(1), tmp_path / "table" / "b" / "2.parquet")
    data = DataSettings(source=Source.table, path=str(tmp_path / "table"))
    assert fingerprint_folder(tmp_path / "table") == fingerprint_table(read_table(data))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([77, 78, 77, None, 79], pa.int64()),
        ([77, 78, 77, None, 79], pa.int16()),
        ([77.0, 78.0, 77.0, None, 77.5], pa.float64()),
        ([Decimal("77.00"), Decimal("78.00"), Decimal("77.00"), None, Decimal("77.50")], pa.decimal128(10, 2)),
        (["77", "78", " 77 ", None, "077"], pa.string()),
        (["77", "78", "77", None, "7"], pa.large_string()),
        (["77", "78", "77", None, "777"], pa.dictionary(pa.int8(), pa.string())),
    ],
)
def test_an_id_is_known_in_whatever_type_it_was_written(values: list[Any], kind: pa.DataType, tmp_path: Path) -> None:
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    column = pa.array(values, plain)
    column = column.dictionary_encode().cast(kind) if plain != kind else column
    table = pa.table({"customer_id": column, "row": range(5), "list": [["a"], [], None, ["b"], ["c"]]})
    path = written(table.replace_schema_metadata({"made": "by us"}), tmp_path / "t.parquet", row_group_size=2)
    schema = pq.read_schema(path)
    assert remove(Person("77"), path) == 2
    left = pq.read_table(path)
    assert left["row"].to_pylist() == [1, 3, 4]
    assert left.schema.equals(schema, check_metadata=True)
    assert left["list"].to_pylist() == [[], ["b"], ["c"]]
    assert [pq.read_metadata(path).row_group(one).num_rows for one in range(3)] == [1, 1, 1]
    if plain != kind:
        levels = {one for chunk in left["customer_id"].chunks for one in chunk.dictionary.to_pylist()}
        assert "77" not in levels
    assert remove(Person("77"), path) == 0


def test_a_file_is_written_as_it_was(tmp_path: Path) -> None:
    levels = pa.array(["a", "b", "a", "a"]).dictionary_encode()
    table = pa.table(
        [pa.array(["77", "78", "77", "79"]), levels, pa.array([1.0, 2.0, 3.0, 4.0])],
        schema=pa.schema(
            [pa.field("customer_id", pa.string(), nullable=False), ("band", levels.type), ("pd", "float64")]
        ),
    )
    how: dict[str, Any] = {
        "compression": {"customer_id": "zstd", "band": "none", "pd": "snappy"},
        "store_schema": False,
    }
    path = written(table, tmp_path / "t.parquet", use_dictionary=["band"], write_statistics=["pd"], **how)
    before = described(path)
    assert remove(Person("77"), path) == 2
    assert described(path) == before
    assert pq.read_table(path).to_pylist() == [
        {"customer_id": "78", "band": "b", "pd": 2.0},
        {"customer_id": "79", "band": "a", "pd": 4.0},
    ]


def described(path: Path) -> list[Any]:
    metadata = pq.read_metadata(path)
    columns = [metadata.row_group(0).column(place) for place in range(metadata.num_columns)]
    told = [(one.compression, one.is_stats_set, one.encodings) for one in columns]
    return [pq.read_schema(path), metadata.metadata, *told]


def test_a_file_whose_rows_are_all_erased_keeps_its_columns(tmp_path: Path) -> None:
    table = pa.table({"customer_id": ["a", "a"], "x": [1.0, 2.0]})
    path = written(table, tmp_path / "t.parquet")
    assert remove(Person("a"), path) == 2
    assert pq.read_table(path).schema == table.schema
    assert look_for(Person("a"), path).rows == 0  # type: ignore[union-attr]


def test_where_a_row_names_its_customer_that_decides() -> None:
    table = pa.table({"customer_id": ["1", "2", None, None], "application_id": [10, 10, 10, 11]})
    person = Person("1", applications=frozenset({"10"}))
    assert person.rows_of(table).to_pylist() == [True, False, True, False]


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


def test_decisions_that_wait_in_the_services_journal_stop_it(filled: Workspace, gone: Callable[..., Any]) -> None:
    journal = filled.root / "serving" / "journal" / "00000001.journal"
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b'{"application_id":"APP-0001"}')
    before = rows_below(filled)
    with pytest.raises(RequestError, match="the service still has a decision of this customer in its journal"):
        gone()
    assert rows_below(filled) == before
    journal.write_bytes(b'{"application_id":"APP-0002"}')
    assert gone().result["erased"]


def test_what_the_service_set_aside_is_erased_too(filled: Workspace, gone: Callable[..., Any]) -> None:
    aside = filled.root / "serving" / "contradicted.jsonl"
    aside.parent.mkdir()
    others = [b'{"row":{"customer_id":null,"application_id":"APP-0002"},"features":{}}', b"cut off {"]
    theirs = [b'{"row":{"customer_id":null,"application_id":"APP-0001"}}', b'{"customer_id":"%s"}' % GONE.encode()]
    aside.write_bytes(b"\n".join([theirs[0], *others, theirs[1]]) + b"\n")
    torn = [aside.with_name(f"00000001.torn-{number}") for number in (1, 2)]
    torn[0].write_bytes(b"\x01APP-0003\x02")
    torn[1].write_bytes(b"\x01APP-0004\x02")
    assert gone().result["rows"]["serving"] == 2
    assert aside.read_bytes() == b"\n".join(others) + b"\n"
    assert [path.exists() for path in torn] == [False, True]


def test_the_services_index_forgets_them(filled: Workspace, gone: Callable[..., Any]) -> None:
    others = set(decision_ids(KEY, "model", np.array(list(APPLICATIONS)))) - gone_decisions()
    everybody = [bytes.fromhex(one) for one in sorted(gone_decisions() | others)]
    rolled = RolledDecisions(filled.serving / "decided.db")
    rolled.add([Rolled(one[::-1], b"request", one, "a file") for one in everybody])
    gone()
    assert {one for one in everybody if rolled.of_decision(one)} == {bytes.fromhex(one) for one in others}
    rolled.close()


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


def test_reviews_of_what_was_erased_stay_and_verify(filled: Workspace, gone: Callable[..., Any]) -> None:
    identity = min(gone_decisions())
    Reviews(filled).request(row_of(filled, identity), by="bert", why="please look")
    gone()
    verify = ReviewVerbSettings(workspace=str(filled.root), action=ReviewAction.verify)
    assert review(verify).result == {"entries": 1, "findings": []}
    with pytest.raises(RequestError, match=r"was erased .* \(entry 1 of the erasures\)"):
        row_of(filled, identity)


def test_an_erasure_that_is_removed_from_the_chain_is_found(filled: Workspace, gone: Callable[..., Any]) -> None:
    gone()
    engine = create_engine(sqlite_url(filled.chain))
    with engine.begin() as connection:
        connection.execute(text("delete from chain where sequence = 2 and chain = 'erasures'"))
    engine.dispose()
    with pytest.raises(ChainBroken, match="it has 1 entries where 2 were written"):
        read_erasures(filled)


def test_history_and_verify_tell_what_was_erased_and_who_is_back(filled: Workspace, gone: Callable[..., Any]) -> None:
    gone(why="asked for it")
    (told,) = verify.history(settings(filled)).result["erasures"]  # type: ignore[misc]
    assert (told["entry"], told["why"], sum(told["rows"].values())) == (1, "asked for it", 13)
    assert verify.verify(settings(filled)).result == {"entries": 2, "findings": []}
    written(pa.table({"customer_id": [STAYS, GONE]}), filled.root / "back" / "part.parquet")
    outcome = verify.verify(settings(filled))
    assert outcome.exit_code is ExitCode.ANSWER_IS_NO
    assert "1 erased customers are again in back" in str(outcome.result["findings"])


def test_verify_tells_of_what_nobody_has_finished(
    filled: Workspace, gone: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "remove_rows", lambda *_: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        gone()
    findings = verify.verify(settings(filled)).result["findings"]
    assert "entry 1" in str(findings)
    assert "is unfinished" in str(findings)


def test_nobody_is_named(workspace: Workspace, filled: Workspace) -> None:
    with pytest.raises(RequestError, match="customer is not set; add customer=ID"):
        erase(EraseSettings(workspace=str(filled.root)))


def test_the_command(filled: Workspace, thinfile: Callable[..., Answer]) -> None:
    written(pa.table({"customer_id": ["007", "7"]}), filled.root / "numbers" / "part.parquet")
    assert thinfile("erase", "customer=007", "why=asked", "output=json").json["rows"] == {"numbers": 1}
    told = thinfile("erase", f"customer={GONE}").stdout
    assert told.startswith("ERASED: 13 rows of one customer from 8 files (2 applications, 2 decisions; entry 4)")
    assert thinfile("erase", "history").stdout.startswith("2 erasures")
    assert thinfile("erase", "verify").exit_code == 0


def test_the_hash_in_sql_is_that_of_python(workspace: Workspace) -> None:
    import duckdb

    salt = ensure_salt(workspace)
    assert salt == ensure_salt(workspace)
    found = duckdb.sql(f"select {hashed_in_sql(salt, Kind.customer, 'id')} from (values ('ä 7')) t(id)").fetchall()
    assert found == [(hashed(salt, Kind.customer, "ä 7"),)]


def erased_of(workspace: Workspace, *customers: str) -> Erasures:
    salt = ensure_salt(workspace)
    chain = Chain(workspace, "erasures")
    for number, one in enumerate(customers):
        said = {"action": BEGUN, "customer": hashed(salt, Kind.customer, one), "applications": [], "decisions": []}
        chain.append(said | {"by": "anna", "why": ""}, after=number)
    return read_erasures(workspace)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_who_was_erased_is_left_out_of_the_next_intake(suffix: str, workspace: Workspace, tmp_path: Path) -> None:
    raw, into = raw_settings(lay(a_shop(), tmp_path / "raw", suffix)), tmp_path / "into"
    how: dict[str, Any] = {"buckets": BUCKETS, "threads": 2, "memory_limit": "1GB"}
    everybody = run_intake(raw, tmp_path / "all", **how).tables
    left = run_intake(raw, into, **how, erasures=erased_of(workspace, "5", "7")).tables
    shop = {name: table.to_pandas() for name, table in a_shop().items()}
    theirs = shop["applications"].loc[shop["applications"]["customer_id"].isin([5, 7]), "application_id"]
    expected = {name: int(shop[name]["customer_id"].isin([5, 7]).sum()) for name in ("customers", "orders")}
    expected |= {name: int(shop[name]["application_id"].isin(theirs).sum()) for name in ("applications", "instalments")}
    assert {name: table.erased for name, table in left.items()} == expected
    assert {name: table.clean + table.erased for name, table in left.items()} == {
        name: table.clean for name, table in everybody.items()
    }
    assert all(table.rows == table.clean for table in left.values())
    for path in (into / "clean").rglob("*.parquet"):
        rows = pq.read_table(path, partitioning=None).to_pandas()
        if "customer_id" in rows:
            assert not rows["customer_id"].astype(str).isin(["5", "7"]).any()


def test_who_was_erased_is_left_out_of_a_table_and_counted(workspace: Workspace, tmp_path: Path) -> None:
    table = pd.DataFrame({"customer_id": [5, 6, 7, 8], "id": list("abcd"), "x": [1.0, 2.0, 3.0, 4.0]})
    table.to_parquet(tmp_path / "t.parquet")
    data = DataSettings(source=Source.table, path=str(tmp_path / "t.parquet"), id="id", ignored=["customer_id"])
    before = load_applications(data, workspace, labelled=False)
    erased_of(workspace, "5", "7")
    after = load_applications(data, workspace, labelled=False)
    assert (list(after.ids), after.erased, before.erased) == (["b", "d"], 2, 0)
    assert after.fingerprint_with_erased == before.fingerprint
    assert after.fingerprint != before.fingerprint


def test_rows_are_known_by_application_where_they_name_no_customer(workspace: Workspace) -> None:
    salt = ensure_salt(workspace)
    hashes = {kind: frozenset({hashed(salt, kind, "5")}) for kind in Kind}
    returning = ErasedRows(Erasures(salt, (object(),), hashes))  # type: ignore[arg-type]
    customers, applications = np.array(["5", "6", None, None], object), np.array(["1", "5", "5", "6"], object)
    assert returning.rows(customers, applications).tolist() == [True, False, True, False]
    assert returning.rows(applications=applications).tolist() == [False, True, True, False]
