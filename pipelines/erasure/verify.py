"""Whether what was erased stayed away: the chain as it was written, no erasure left unfinished, nobody back."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.command.verb import ExitCode, Outcome, carried
from pipelines.erasure.files import kind_of, parquet_below
from pipelines.erasure.settings import EraseSettings
from pipelines.erasures.person import CUSTOMER
from pipelines.erasures.record import BEGUN, Erasures, read_erasures
from pipelines.erasures.salt import Kind, hashed
from pipelines.storage.chain import ChainBroken, Entry
from pipelines.storage.workspace import Workspace


def history(settings: EraseSettings) -> Outcome:
    """Return every erasure: who, when, why, and how many rows."""
    known = read_erasures(Workspace.at(settings.workspace))
    begun = [entry for entry in known.entries if entry.content["action"] == BEGUN]
    told = [_told(entry, known.finished(entry)) for entry in begun]
    lines = [f"{len(told):,} erasures", *map(_line, told)]
    return Outcome({"erasures": told}, summary=lines, next_steps=[f"thinfile erase verify{carried(settings)}"])


def verify(settings: EraseSettings) -> Outcome:
    """Return whether the erasures hold: exit code 3 with what was found otherwise."""
    workspace = Workspace.at(settings.workspace)
    try:
        known = read_erasures(workspace)
        findings = [*_unfinished(known), *_came_back(workspace, known)]
    except ChainBroken as error:
        known, findings = Erasures(), [str(error)]
    result = {"entries": len(known.entries), "findings": findings}
    if findings:
        head = f"NOT VERIFIED: {len(findings)} finding{'s' * (len(findings) > 1)}"
        return Outcome(result, summary=[head, *(f"  {one}" for one in findings)], exit_code=ExitCode.ANSWER_IS_NO)
    return Outcome(
        result, summary=[f"VERIFIED: {len(known.entries):,} entries of erasures, no erased customer is back"]
    )


def _unfinished(known: Erasures) -> Iterator[str]:
    for entry in known.unfinished.values():
        yield (
            f"entry {entry.sequence} ({entry.content['by']}, {entry.written_at[:16]}) began an erasure that is "
            "unfinished; run its command again"
        )


def _came_back(workspace: Workspace, known: Erasures) -> Iterator[str]:
    """Yield the tables that hold a customer who was erased."""
    gone = known.hashes.get(Kind.customer, frozenset())
    for path in parquet_below(workspace.root) if gone else ():
        with pq.ParquetFile(path) as file:
            if CUSTOMER not in file.schema_arrow.names:
                continue
            groups = (file.read_row_group(group, [CUSTOMER])[CUSTOMER] for group in range(file.num_row_groups))
            ids = pa.chunked_array([pc.unique(_plain(one)) for one in groups], pa.string())
        back = sum(hashed(known.salt, Kind.customer, one) in gone for one in pc.unique(ids).to_pylist() if one)
        if back:
            kind = kind_of(path, workspace.root)
            yield f"{back:,} erased customers are again in {kind} ('{path}'); erase them again"


def _plain(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_trim_whitespace(ids.cast(pa.string()))


def _told(begun: Entry, ended: Entry | None) -> dict[str, Any]:
    found: dict[str, Any] = {"entry": begun.sequence, "by": begun.content["by"], "why": begun.content["why"]}
    found |= {"begun_at": begun.written_at, "erased_at": ended.written_at if ended else None}
    return found | {"rows": ended.content["rows"] if ended else None}


def _line(one: dict[str, Any]) -> str:
    rows = "unfinished" if one["rows"] is None else f"{sum(one['rows'].values()):,} rows"
    return f"  entry {one['entry']}  {one['begun_at'][:16].replace('T', ' ')}  {one['by']}  {rows}  {one['why']}"
