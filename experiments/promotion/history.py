"""The action history of promote: shows the promotion ledger."""

from collections.abc import Mapping
from typing import Any

from experiments.promotion.gates.gate import NOT_MEASURED
from experiments.promotion.policies import exception_sentence
from experiments.promotion.settings import PromoteSettings
from pipelines.command.table import FittedTable, TableColumn
from pipelines.command.verb import Outcome, carried
from pipelines.ledger import ledger_state as decisions
from pipelines.ledger.ledger import Ledger
from pipelines.ledger.ledger_state import section
from pipelines.ledger.signing import unsigned_note
from pipelines.model_store.store import ModelStore, existing_store
from pipelines.storage.chain import Entry
from pipelines.storage.workspace import Workspace


def history(settings: PromoteSettings) -> Outcome:
    """Return every decision about a model, in order. Raises ChainBroken when an entry was changed."""
    ledger = Ledger(*_opened(settings), settings.model, allow_disagreement=True)
    disagreements = [f"the registry disagrees: {finding}" for finding in ledger.disagreements]
    return Outcome(
        {
            "model": settings.model,
            "champion": ledger.state.champion,
            "entries": [_record(entry) for entry in ledger.entries],
        },
        summary=[_table(settings.model, ledger.entries), *disagreements, *unsigned_note(ledger)],
        next_steps=[f"thinfile promote verify{carried(settings)}"],
    )


def _opened(settings: PromoteSettings) -> tuple[Workspace, ModelStore]:
    workspace = Workspace.at(settings.workspace)
    return workspace, existing_store(workspace, settings.model)


def _record(entry: Entry) -> dict[str, Any]:
    return {"sequence": entry.sequence, "written_at": entry.written_at, "hash": entry.hash, **entry.content}


COLUMNS = (
    TableColumn("entry"),
    TableColumn("when (UTC)", figures=False),
    TableColumn("who", figures=False, rank=2),
    TableColumn("decision", figures=False),
    TableColumn("version"),
    TableColumn("what", figures=False, wraps=True),
    TableColumn("why", figures=False, rank=1, wraps=True),
)


def _table(name: str, entries: list[Entry]) -> FittedTable:
    table = FittedTable(f"{name}: {len(entries)} entr{'y' if len(entries) == 1 else 'ies'} in the ledger", COLUMNS)
    for entry in entries:
        content = entry.content
        version = str(content.get("version", ""))
        cells = (str(content["by"]), str(content["decision"]), version, _what(content))
        when = entry.written_at[:16].replace("T", " ")
        table.rows.append([str(entry.sequence), when, *cells, str(content["why"] or "")])
    return table


def _what(content: Mapping[str, Any]) -> str:
    decision = content["decision"]
    if decision in (decisions.REQUESTED, decisions.REFUSED):
        gates = section(content, "evidence", "gates")
        failed = [gate["gate"] for gate in gates if not gate["passed"] and gate["blocking"]]
        warned = [
            gate["gate"]
            for gate in gates
            if not gate["passed"] and not gate["blocking"] and gate.get("answer") != NOT_MEASURED
        ]
        champion = section(content, "champion", "version")
        against = f"against version {champion}" if champion is not None else "as first champion"
        against += _experiment(content)
        if content.get("exception"):
            against += f"; {exception_sentence(content['exception'], section(content, 'evidence', 'about', 'policy'))}"
        parts = [f"{word}: {', '.join(names)}" for word, names in (("failed", failed), ("warned", warned)) if names]
        return "; ".join([against, *parts])
    if decision == decisions.APPROVED:
        return f"request {content['request']}, {'signed' if content['authenticated'] else 'unauthenticated'}"
    if decision in (decisions.POLICY_SET, decisions.EXCEPTION):
        return f"policy '{content['policy_name']}', {'signed' if content.get('authenticated') else 'unsigned'}"
    if decision == decisions.SIGNERS_SET:
        return f"{content['signers_hash'][:12]}, signed"
    if decision == decisions.PROMOTED:
        return f"request {content['request']}{_experiment(content)}"
    back = f"from version {content['from']}" if content["from"] is not None else "from none"
    return f"{back}, restored" if decision == decisions.ROLLED_BACK and content.get("restored") else back


def _experiment(content: Mapping[str, Any]) -> str:
    """Return the named experiment of a decision's version, empty without one."""
    return f", experiment {content['experiment']}" if content.get("experiment") else ""
