"""The verb erase: removes a person's rows from the workspace and records it in the chain of erasures."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.book.recipe import BOOKS
from pipelines.book.removal import remove_customer
from pipelines.command.verb import Outcome
from pipelines.erasure.datasets import fingerprint_folder
from pipelines.erasure.files import remove
from pipelines.erasure.lines import SUFFIX, remove_lines
from pipelines.erasure.notes import note_in_manifests, note_in_receipts, sources_outside
from pipelines.erasure.other_files import (
    PLAN,
    check_journals,
    files_that_name,
    remove_from_index,
    remove_torn_records,
)
from pipelines.erasure.person import Person
from pipelines.erasure.plan import Plan, make_plan, rows_left, unsearched
from pipelines.erasure.settings import EraseSettings
from pipelines.erasure.spellings import check_spelling, lookalikes
from pipelines.erasures.record import BEGUN, COLUMNS, CUSTOMER, ERASED, Erasures, read_erasures, write_erasure
from pipelines.erasures.salt import Kind, ensure_salt, hashed
from pipelines.errors import RequestError
from pipelines.score_log.score_log import ScoreLog
from pipelines.storage.atomic_files import clear_below
from pipelines.storage.chain import Entry
from pipelines.storage.lock import file_lock
from pipelines.storage.process import account
from pipelines.storage.workspace import Workspace


def erase(settings: EraseSettings) -> Outcome:
    """Remove a customer from the lake and the score log; run again, it finishes an interrupted erasure.

    Raises:
        RequestError: an id that no column of customers can have; a reason that names the customer; decisions that the
            service has not written into the log yet.
        ThinfileError: a table cannot be read.
        ChainBroken: the chain of erasures was changed.
    """
    workspace = Workspace.existing(settings.workspace)
    customer = _customer(settings)
    with file_lock(workspace.root / ".erasure.lock"), _alone(workspace):
        clear_below(workspace.root)
        erasures = read_erasures(workspace)
        plan = _plan(settings, workspace, erasures, customer)
        if plan is None:
            return _erased_before(erasures, customer)
        check_journals(workspace, plan.person)
        begun = _begun(settings, workspace, plan, erasures)
        plan = _removed(workspace, plan)
        ended = _end(settings, workspace, plan, begun)
        (workspace.root / PLAN).unlink(missing_ok=True)
        return _outcome(settings, workspace, plan, ended)


def _customer(settings: EraseSettings) -> str:
    customer = settings.customer or ""
    if not customer.strip():
        raise RequestError("customer is not set; add customer=ID")
    if re.search(rf"(?<!\w){re.escape(customer)}(?!\w)", settings.why):
        raise RequestError("why contains the customer's id, and reasons are stored permanently; leave it out")
    return customer


@contextmanager
def _alone(workspace: Workspace) -> Iterator[None]:
    """Lock every folder of the lake and every key of the score log, as their writers do."""
    with ExitStack() as held:
        for folder in sorted(workspace.lake.iterdir()) if workspace.lake.exists() else ():
            if folder.is_dir() and not folder.name.startswith("."):
                held.enter_context(file_lock(folder.with_name(f".{folder.name}.lock")))
        log = ScoreLog(workspace)
        for key in log.all_keys():
            held.enter_context(log.locked(key))
        yield


def _plan(settings: EraseSettings, workspace: Workspace, erasures: Erasures, customer: str) -> Plan | None:
    """Return the plan of an interrupted command or a new one, perhaps without rows; None for a customer erased before.

    Raises RequestError for an id that no column of customers can have.
    """
    path = workspace.root / PLAN
    if path.exists():
        kept = Plan.read(path)
        if kept.person.customer == customer and _is_unfinished(kept, erasures):
            return kept
        if _is_unfinished(kept, erasures):
            raise RequestError(
                f"an earlier erasure is unfinished; run its command again first (its customer is in '{path}')"
            )
        path.unlink()  # killed after its end was written, or before its beginning was
    plan = make_plan(workspace, customer, tuple(settings.columns), frozenset(settings.applications))
    if plan.rows:
        plan.write(path)
        return plan
    if _is_unfinished(plan, erasures):
        return plan
    if erasures.erased(Kind.customer, customer) is not None:
        return None
    check_spelling(workspace, plan.person)
    return plan


def _is_unfinished(plan: Plan, erasures: Erasures) -> bool:
    return bool(erasures) and hashed(erasures.salt, Kind.customer, plan.person.customer) in erasures.unfinished


def _begun(settings: EraseSettings, workspace: Workspace, plan: Plan, erasures: Erasures) -> Entry:
    """Return the entry that begins the erasure, written now unless an interrupted command wrote it."""
    salt = ensure_salt(workspace)
    customer = hashed(salt, Kind.customer, plan.person.customer)
    if customer in erasures.unfinished:
        return erasures.unfinished[customer]
    ids = {Kind.application: plan.person.applications, Kind.decision: plan.person.decisions}
    content: dict[str, object] = {"action": BEGUN, "by": account(), "why": settings.why, "customer": customer}
    content |= {f"{kind.value}s": sorted(hashed(salt, kind, one) for one in some) for kind, some in ids.items()}
    if settings.columns:
        content[COLUMNS] = list(settings.columns)
    return write_erasure(workspace, content)


def _removed(workspace: Workspace, plan: Plan) -> Plan:
    """Remove the rows of a plan, and those that arrived while it was unfinished, until none is left."""
    for path in plan.rows:
        remove_rows(plan.person_in(path), workspace.root / path)
    remove_torn_records(workspace, plan.person)
    remove_from_index(workspace, plan.person)
    arrived = rows_left(workspace, plan)
    if not arrived:
        return plan
    rows = Counter(plan.rows) + Counter(arrived)
    return _removed(workspace, replace(plan, rows=dict(rows)))


def remove_rows(person: Person, path: Path) -> None:
    """Write a file again without a person's rows."""
    if path.suffix == SUFFIX:
        remove_lines(person, path)
    elif path.parent.parent.name == BOOKS:
        kind = pq.read_schema(path).field(CUSTOMER).type
        remove_customer(path.parent, int(person.customer) if pa.types.is_integer(kind) else person.customer)
    else:
        remove(person, path)


def _end(settings: EraseSettings, workspace: Workspace, plan: Plan, begun: Entry) -> Entry:
    note_in_manifests(workspace, plan.rows, begun.sequence)
    note_in_receipts(workspace, plan.rows, begun.sequence)
    data = [
        {"path": one.path, "before": one.fingerprint, "after": fingerprint_folder(workspace.root / one.path)}
        for one in plan.datasets
    ]
    content = {
        "action": ERASED,
        "begun": begun.sequence,
        "by": account(),
        "why": settings.why,
        "customer": begun.content["customer"],
        "rows": plan.kinds(workspace.root),
        "files": len(plan.rows),
        "data": data,
    }
    return write_erasure(workspace, content)


def _erased_before(erasures: Erasures, customer: str) -> Outcome:
    begun = erasures.erased(Kind.customer, customer)
    assert begun is not None
    entry = erasures.finished(begun) or begun
    when = entry.written_at
    return Outcome(
        {"erased": False, "rows": {}, "files": 0, "entry": entry.sequence, "erased_at": when},
        summary=[f"ALREADY ERASED on {when[:10]} (entry {entry.sequence}): no row of this customer is left"],
    )


def _outcome(settings: EraseSettings, workspace: Workspace, plan: Plan, ended: Entry) -> Outcome:
    rows: Any = ended.content["rows"]
    sources, skipped = sources_outside(workspace), unsearched(workspace, tuple(settings.columns))
    residue = files_that_name(workspace, [plan.person.customer, *sorted(plan.person.applications)])
    result = {
        "erased": bool(rows),
        "rows": rows,
        "files": ended.content["files"],
        "applications": len(plan.person.applications),
        "decisions": len(plan.person.decisions),
        "entry": ended.sequence,
        "still_named_in": residue,
        "not_searched": skipped,
        "sources_outside": sources,
        "lookalikes": lookalikes(workspace, plan.person),
    }
    columns = ", ".join((CUSTOMER, *settings.columns))
    return Outcome(result, summary=_summary(result, rows, columns))


def _summary(result: Mapping[str, Any], rows: Mapping[str, int], columns: str) -> list[str]:
    if not rows:
        lines = [
            f"RECORDED: no row of the workspace has this customer in a column {columns} (entry {result['entry']}); "
            "name the columns of your own tables with columns=[COLUMN]"
        ]
        return [*lines, *_files_to_check(result), "  later deliveries leave this customer out and count it"]
    lines = [
        f"ERASED: {sum(rows.values()):,} rows of one customer from {result['files']:,} files "
        f"({result['applications']:,} applications, {result['decisions']:,} decisions; entry {result['entry']})"
    ]
    lines += [f"  {count:>7,} rows  {kind}" for kind, count in rows.items()]
    lines += [
        "  kept: counts, vintages and profiles, which hold no ids; chains, which hold hashes; registered models, which "
        "hold no rows",
    ]
    return [*lines, *_files_to_check(result), "  later deliveries leave this customer out and count it"]


def _files_to_check(result: Mapping[str, Any]) -> list[str]:
    lines = [f"  still contains this customer: {path}; check it" for path in result["still_named_in"]]
    lines += [
        f"  another id that looks like this one: '{one}' in {', '.join(kinds)}; erase it too if it is the same person"
        for one, kinds in result["lookalikes"].items()
    ]
    lines += [f"  not searched, no column of customer ids: {path}" for path in result["not_searched"][:10]]
    return lines + [f"  outside the workspace, delete it yourself: {path}" for path in result["sources_outside"]]
