"""Writes the parts of pages that come from the code: the marketplace contracts, the settings and the evidence."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipelines.applications.settings import DataSettings
from pipelines.candidates.registry import candidate_settings
from pipelines.command.settings_reference import Setting, settings_of
from pipelines.command.verbs import VERBS, schema_of
from pipelines.marketplace.tables import CONTRACTS, Kind, TableContract
from pipelines.policy.pack import PolicySettings
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
    (FOLDER / "settings.md").write_text(settings_page())


def settings_page() -> str:
    """Return the settings of all verbs as Markdown; those that several verbs share have sections of their own."""
    sections = [_verb_section(verb, entry.meaning) for verb, entry in VERBS.items()]
    shared: dict[str, type] = {"data": DataSettings, "policy": PolicySettings}
    for family, settings in candidate_settings()["candidate"].items():
        shared[f"candidate={family}"] = type(settings)
    return "\n".join([*sections, *(_shared_section(name, schema) for name, schema in shared.items())])


SHARED = ("data", "policy", "candidate")


def _verb_section(verb: str, meaning: str) -> str:
    rows = [
        one for one in settings_of(schema_of(verb)) if one.key.partition(".")[0] not in SHARED or "." not in one.key
    ]
    title = f"## thinfile {verb}"
    return "\n".join([title, "", f"{meaning[0].upper()}{meaning[1:]}.", "", *_table(rows), ""])


def _shared_section(name: str, schema: type) -> str:
    group = name.partition("=")[0]
    return "\n".join([f"## {name}", "", *_table(settings_of(schema, f"{group}.")), ""])


def _table(settings: Iterable[Setting]) -> list[str]:
    rows = [f"| `{one.key}` | {_cell(one.meaning)} | {_code(one.default)} | {_cell(one.allowed)} |" for one in settings]
    return ["| setting | meaning | default | allowed |", "|---|---|---|---|", *rows]


def _code(text: str) -> str:
    return f"`{_cell(text)}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def contract_section(contract: TableContract) -> str:
    """Return the columns and the rules of a table as Markdown."""
    rows = [
        f"| `{one.name}` | {TYPES[one.kind]} | {'optional' if one.optional else 'required'} | {one.meaning} |"
        for one in contract.columns
    ]
    names = "|".join(one.name for one in contract.columns)
    named = re.compile(rf"\b({names})\b")
    rules = ["- " + named.sub(lambda column: f"`{column[0]}`", rule.sentence) + "." for rule in contract.rules]
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
