"""Verifies erasures: the chain is unchanged, no erasure is unfinished, and no erased customer is back."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.command.verb import ExitCode, Outcome, carried
from pipelines.erasure.files import kind_of, parquet_below
from pipelines.erasure.person import ids_of
from pipelines.erasure.settings import EraseSettings
from pipelines.erasures.record import BEGUN, COLUMNS, CUSTOMER, Erasures, read_erasures
from pipelines.erasures.salt import Kind, hashed
from pipelines.storage.chain import ChainBroken, Entry
from pipelines.storage.workspace import Workspace


def history(settings: EraseSettings) -> Outcome:
    """Return every erasure: who, when, why, and how many rows."""
    erasures = read_erasures(Workspace.existing(settings.workspace))
    begun = [entry for entry in erasures.entries if entry.content["action"] == BEGUN]
    records = [_record(entry, erasures.finished(entry)) for entry in begun]
    lines = [f"{len(records):,} erasures", *map(_line, records)]
    return Outcome({"erasures": records}, summary=lines, next_steps=[f"thinfile erase verify{carried(settings)}"])


def verify(settings: EraseSettings) -> Outcome:
    """Return whether the erasures hold; exit code 3 with the findings otherwise."""
    workspace = Workspace.existing(settings.workspace)
    try:
        erasures = read_erasures(workspace)
        findings = [*_unfinished(erasures), *_came_back(workspace, erasures)]
    except ChainBroken as error:
        erasures, findings = Erasures(), [str(error)]
    result = {"entries": len(erasures.entries), "findings": findings}
    if findings:
        head = f"NOT VERIFIED: {len(findings)} finding{'s' * (len(findings) > 1)}"
        return Outcome(result, summary=[head, *(f"  {one}" for one in findings)], exit_code=ExitCode.ANSWER_IS_NO)
    return Outcome(
        result, summary=[f"VERIFIED: {len(erasures.entries):,} entries of erasures, no erased customer is back"]
    )


def _unfinished(erasures: Erasures) -> Iterator[str]:
    for entry in erasures.unfinished.values():
        yield (
            f"entry {entry.sequence} ({entry.content['by']}, {entry.written_at[:16]}) began an erasure that is "
            "unfinished; run its command again"
        )


def _came_back(workspace: Workspace, erasures: Erasures) -> Iterator[str]:
    columns = {CUSTOMER, *(one for entry in erasures.entries for one in _own_columns(entry))}
    for path in parquet_below(workspace.root) if erasures else ():
        with pq.ParquetFile(path) as file:
            names = [name for name in file.schema_arrow.names if name in columns]
            back = sum(len(_erased_in(file, name, erasures)) for name in names)
        if back:
            kind = kind_of(path, workspace.root)
            yield f"{back:,} erased customers are again in {kind} ('{path}'); erase them again"


def _own_columns(entry: Entry) -> Sequence[str]:
    """Return the user's own columns of customer ids that an erasure searched."""
    names: Any = entry.content.get(COLUMNS, ())
    return [str(one) for one in names]


def _erased_in(file: pq.ParquetFile, name: str, erasures: Erasures) -> set[str]:
    """Return the hashes of the erased customers in a column."""
    hashes = set[str]()
    for group in range(file.num_row_groups):
        ids = pc.unique(ids_of(file.read_row_group(group, [name])[name])).to_pylist()
        hashes |= {hashed(erasures.salt, Kind.customer, one) for one in ids if one is not None}
    return hashes & erasures.customers


def _record(begun: Entry, ended: Entry | None) -> dict[str, Any]:
    return {
        "entry": begun.sequence,
        "by": begun.content["by"],
        "why": begun.content["why"],
        "begun_at": begun.written_at,
        "erased_at": ended.written_at if ended else None,
        "rows": ended.content["rows"] if ended else None,
    }


def _line(one: dict[str, Any]) -> str:
    rows = "unfinished" if one["rows"] is None else f"{sum(one['rows'].values()):,} rows"
    return f"  entry {one['entry']}  {one['begun_at'][:16].replace('T', ' ')}  {one['by']}  {rows}  {one['why']}"
