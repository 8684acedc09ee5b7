"""Writes the parts of pages that come from the code: the marketplace contracts, the settings and the evidence."""

from pathlib import Path
from typing import Any

from pipelines.marketplace.tables import CONTRACTS, Kind, TableContract
from tests.evidence.tables import table as evidence_table

FOLDER = Path(__file__).resolve().parents[1] / "_generated"

TYPES = {
    Kind.identifier: "identifier (integer or text)",
    Kind.text: "text",
    Kind.time: "time",
    Kind.money: "money (integer, minor units)",
    Kind.whole: "integer",
    Kind.number: "number",
    Kind.flag: "true or false",
}


def setup(app: Any) -> dict[str, bool]:
    """Write the generated parts before Sphinx reads the pages."""
    app.connect("builder-inited", lambda _: write_all())
    return {"parallel_read_safe": True}


def write_all() -> None:
    """Write all generated parts into docs/_generated."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "contracts.md").write_text("\n".join(map(contract_section, CONTRACTS)))
    (FOLDER / "evidence.md").write_text(evidence_table())
    (FOLDER / "settings.md").write_text("\n")


def contract_section(contract: TableContract) -> str:
    """Return the columns and the rules of a table as Markdown."""
    rows = [
        f"| `{one.name}` | {TYPES[one.kind]} | {'optional' if one.optional else 'required'} | {one.meaning} |"
        for one in contract.columns
    ]
    rules = [f"- {rule.sentence[0].upper()}{rule.sentence[1:]}." for rule in contract.rules]
    key = " and ".join(f"`{name}`" for name in contract.key)
    return "\n".join(
        [
            f"### {contract.name.capitalize()}",
            "",
            f"One row per {key}.",
            "",
            "| column | type | | meaning |",
            "|---|---|---|---|",
            *rows,
            "",
            "A row goes to quarantine when:",
            "",
            *rules,
            "",
        ]
    )
