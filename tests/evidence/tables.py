"""Writes the README's table of evidence from evidence/*.json: `python -m tests.evidence.tables`."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"(<!-- evidence -->\n).*?(<!-- /evidence -->)", re.DOTALL)


def table() -> str:
    """Return the claims as a Markdown table, in the order of their files."""
    found = [json.loads(path.read_text()) for path in sorted((ROOT / "evidence").glob("*.json"))]
    rows = [
        f"| {one['claim']} | {one['value']} | {one['bound']} | {'yes' if one['holds'] else 'NO'} |" for one in found
    ]
    return "\n".join(["| claim | measured | bound | holds |", "|---|---|---|---|", *rows]) + "\n"


def readme_with(rows: str) -> str:
    """Return the README with this table in its place."""
    text = (ROOT / "README.md").read_text()
    return BLOCK.sub(lambda block: block[1] + rows + block[2], text)


if __name__ == "__main__":
    (ROOT / "README.md").write_text(readme_with(table()))
