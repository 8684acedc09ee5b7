"""A person erased from a whole workspace: not a byte of an id is left, all else is equal, and a kill loses nothing."""

import hashlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiments.replay.replay import replay
from experiments.replay.settings import ReplaySettings
from pipelines.book.lookup import BookFeatures, UnknownCustomerError
from pipelines.command.verb import ExitCode
from pipelines.erasure.erase import erase
from pipelines.erasure.settings import EraseSettings
from pipelines.erasures.record import read_erasures
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHALLENGER
from pipelines.reviews.review import review
from pipelines.reviews.settings import ReviewAction, ReviewVerbSettings
from pipelines.storage.workspace import Workspace
from tests.evidence.commands import COMMAND, answer
from tests.evidence.conftest import Evidence
from tests.pipelines.model_store.champions import crown

pytestmark = pytest.mark.integration  # whole commands, run again and again

VICTIMS = 2
AS_OF, PERIOD = "2024-07-01", "2024-05"
IDS = ("customer_id", "application_id", "order_id")


@dataclass(frozen=True)
class Lender:
    """A workspace that lived: prepared, learnt from, scored, reviewed; the raw tables it came from; who is to go."""

    root: Path
    raw: Path
    victims: list[str]
    applications: set[str]
    decisions: set[str]
    run: str

    def names(self) -> list[str]:
        return [*self.victims, *sorted(self.applications)]


@pytest.fixture(scope="module")
def lender(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Lender:
    folder = tmp_path_factory.mktemp("erasure")
    root, raw = folder / "workspace", folder / "raw"
    customers = 6000 if request.config.getoption("--full") else 1500
    answer("simulate", f"workspace={folder / 'simulated'}", f"customers={customers}", "months=30", "threads=2")
    named(folder / "simulated" / "lake" / "simulated", raw)
    shutil.copytree(raw, root / "lake" / "own")  # raw tables may lie in the lake as well
    prepare(root, raw)
    prepare(root, raw, "population=book", f"observed_at={AS_OF}")
    told = answer("tune", f"workspace={root}", "data=marketplace", *at(root), "candidate=scorecard", "trials=1")
    store = ModelStore(Workspace.at(str(root)))
    challenger = store.aliased("credit_score", CHALLENGER)
    assert challenger is not None
    crown(store, challenger)
    answer("score", f"workspace={root}", f"period={PERIOD}", "data=marketplace", *at(root))
    log = pd.concat(map(pd.read_parquet, (root / "score_log" / "decisions").rglob("*.parquet")))
    owners = pq.read_table(raw / "applications.parquet").to_pandas().set_index("application_id")["customer_id"]
    victims = sorted(owners[log["application_id"]].drop_duplicates())[:VICTIMS]
    applications = set(owners.index[owners.isin(victims)])
    decisions = set(log.loc[log["application_id"].isin(applications), "decision_id"])
    for identity in decisions:
        row = {"workspace": str(root), "action": ReviewAction.request, "decision": identity}
        review(ReviewVerbSettings(**row, why="please look"))
    return Lender(root, raw, victims, applications, decisions, str(told["run_id"]))


def named(simulated: Path, raw: Path) -> None:
    """Write simulated tables with ids that stand nowhere by chance."""
    raw.mkdir()
    for name in ("customers", "orders", "applications", "instalments"):
        table = pq.read_table(simulated / name)
        for column in [one for one in IDS if one in table.column_names]:
            ids = [None if one is None else _name(column, one) for one in table[column].to_pylist()]
            table = table.set_column(table.column_names.index(column), column, pa.array(ids, pa.string()))
        pq.write_table(table, raw / f"{name}.parquet")


def _name(column: str, number: int) -> str:
    return f"{column[:3].upper()}{hashlib.sha256(f'{column} {number}'.encode()).hexdigest()[:16]}"


def at(root: Path) -> tuple[str, ...]:
    return (f"data.path={root / 'lake' / 'marketplace' / 'training'}",)


def prepare(root: Path, raw: Path, *more: str) -> dict[str, Any]:
    words = ("loan=dpd30_at_3_mob", "features=short", "raw.time_zone=UTC", *(more or (f"loan.as_of={AS_OF}",)))
    return answer("prepare", f"workspace={root}", f"raw.folder={raw}", *words)


def rows_of(root: Path) -> dict[str, pa.Table]:
    """Return every table of a workspace, levels as text: which levels a file lists is no content."""
    files = (path for path in sorted(root.rglob("*.parquet")) if not any(one.is_symlink() for one in path.parents))
    return {str(path.relative_to(root)): plain(pq.read_table(path, partitioning=None)) for path in files}


def plain(table: pa.Table) -> pa.Table:
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        values = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        values = values.combine_chunks()
        columns[name] = values.view(pa.int64()) if pa.types.is_float64(values.type) else values  # NaN has bits too
    return pa.table(columns)


def without(table: pa.Table, lender: Lender) -> pa.Table:
    """Return the rows that are nobody's who is to go."""
    gone = np.zeros(len(table), bool)
    for name, ids in (
        ("customer_id", lender.victims),
        ("application_id", lender.applications),
        ("decision_id", lender.decisions),
    ):
        if name in table.column_names:
            gone |= table[name].to_pandas().isin(ids).to_numpy(bool)
    return plain(table.filter(pa.array(~gone)))


def naming(root: Path, names: list[str]) -> Iterator[str]:
    """Yield the files that hold an id: in their bytes, or in a column of a table as it is read."""
    for path in (one for one in sorted(root.rglob("*")) if one.is_file()):
        content = path.read_bytes()
        if path.suffix == ".parquet":
            table = pq.read_table(path, partitioning=None)
            content += json.dumps(table.to_pylist(), default=str).encode()
            for column in table.columns:  # a level that no row has
                if pa.types.is_dictionary(column.type):
                    content += b"".join(str(chunk.dictionary.to_pylist()).encode() for chunk in column.chunks)
        if path.suffix == ".arrow":
            content += str(pa.ipc.open_file(path).read_all()[0].to_pylist()).encode()
        yield from (f"{path}: {one}" for one in names if one.encode() in content)


def test_a_person_is_erased_from_all_that_a_workspace_holds(evidence: Evidence, lender: Lender, tmp_path: Path) -> None:
    before = rows_of(lender.root)
    expected = {path: without(table, lender) for path, table in before.items()}
    assert sum(map(len, before.values())) > sum(map(len, expected.values()))
    template = Path(shutil.copytree(lender.root, tmp_path / "template", symlinks=True))
    seconds = [at_work(lender.root, one) for one in lender.victims]
    findings = wrong(lender.root, lender, expected)
    kills = [
        killed_and_finished(template, tmp_path / f"killed{number}", lender, moment)
        for number, moment in enumerate(moments(evidence, min(seconds)))
    ]
    for root in (one for one, _ in kills):
        findings += wrong(root, lender, expected)
        shutil.rmtree(root)
    findings += afterwards(lender)
    reached = sum(was for _, was in kills)
    evidence.record(
        "49-erasure",
        claim=f"{VICTIMS} people erased from a workspace that was prepared, learnt from, scored and reviewed: no byte "
        "of their ids in any file (tables decompressed), every other row equal and in order, chains verify, replays "
        "say erased, a new `prepare` from outside leaves them out; so too when killed (kill -9) at random moments and "
        "run again",
        value=f"{len(findings)} findings; {len(before)} tables, {reached} of {len(kills)} runs killed; "
        f"{np.mean(seconds):.1f} s a person",
        bound="0 findings",
        holds=not findings,
    )
    assert not findings, findings[:5]
    assert reached


def moments(evidence: Evidence, seconds: float) -> list[float]:
    """Return when to kill, counted from when the work begins; half as late at most where only few are drawn."""
    draws = np.random.default_rng(49).uniform(0, 1 if evidence.full else 0.5, evidence.size(full=30, reduced=1))
    return [float(seconds * one) for one in draws]


def at_work(root: Path, customer: str, moment: float | None = None) -> float:
    """Run the command, killed so long after its work has begun when a moment is given; return the seconds of work."""
    words = (*COMMAND, "erase", f"workspace={root}", f"customer={customer}", "why='asked for it'")
    lock = root / ".erasure.lock"
    lock.unlink(missing_ok=True)
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not lock.exists() and process.poll() is None:
        time.sleep(0.001)
    start = time.perf_counter()
    try:
        _, told = process.communicate(timeout=moment)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return time.perf_counter() - start
    assert process.returncode == 0, told
    return time.perf_counter() - start


def killed_and_finished(template: Path, root: Path, lender: Lender, moment: float) -> tuple[Path, bool]:
    """Erase the first victim, killed on the way, and give the same command again; then the others."""
    shutil.copytree(template, root, symlinks=True)
    at_work(root, lender.victims[0], moment)
    was = (root / "erasure.json").exists() or not read_erasures(Workspace.at(str(root)))
    for one in lender.victims:
        erase(EraseSettings(workspace=str(root), customer=one, why="asked for it"))
    return root, was


def wrong(root: Path, lender: Lender, expected: dict[str, pa.Table]) -> list[str]:
    """Return what is not as it must be after the erasure."""
    found = list(naming(root, lender.names()))
    left = rows_of(root)
    found += [f"{root}: other files" for _ in range(left.keys() != expected.keys())]
    found += [path for path, table in expected.items() if path in left and not left[path].equals(table)]
    found += book_findings(root, lender.victims)
    chain: dict[str, Any] = dict(
        review(ReviewVerbSettings(workspace=str(root), action=ReviewAction.verify)).result  # type: ignore[arg-type]
    )
    found += [str(one) for one in chain["findings"]] + ["no entries"] * (chain["entries"] != len(lender.decisions))
    again = (EraseSettings(workspace=str(root), customer=one) for one in lender.victims)
    found += ["something was left" for one in again if erase(one).result["erased"]]
    return found + [str(path) for path in root.rglob("*~*")] + ["a plan"] * (root / "erasure.json").exists()


def book_findings(root: Path, victims: list[str]) -> list[str]:
    """Return what a lookup by customer gets wrong: those who are gone are unknown, the others are found."""
    book = BookFeatures(root / "lake" / "marketplace" / "book" / AS_OF)
    customers = pq.read_table(book.folder)["customer_id"].to_pylist()
    found = ["the index is of another book"] * (len(book) != len(customers))
    for one in victims:
        with pytest.raises(UnknownCustomerError):
            book.of(one, 10_000, 6, book.serves_until)
    return found + [one for one in customers[::50] if not book.of(one, 10_000, 6, book.serves_until)]


def afterwards(lender: Lender) -> list[str]:
    """Return what replay and prepare get wrong."""
    asked = [{"run": lender.run}, *({"decision": one} for one in lender.decisions)]
    told = [replay(ReplaySettings(workspace=str(lender.root), **one)) for one in asked]  # type: ignore[arg-type]
    found = [
        str(one.result) for one in told if "erased" not in one.result or one.exit_code is not ExitCode.ANSWER_IS_NO
    ]
    shutil.rmtree(lender.root / "lake" / "marketplace")
    made = prepare(lender.root, lender.raw)
    found += ["prepare does not count"] * (made["erased"]["customers"] != len(lender.victims))
    return found + list(naming(lender.root, lender.names()))
