"""The table of evidence, as the documentation shows it."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def table() -> str:
    """Return the claims as a Markdown table, in the order of their files."""
    found = [json.loads(path.read_text()) for path in sorted((ROOT / "evidence").glob("*.json"))]
    rows = [
        f"| {one['claim']} | {one['value']} | {one['bound']} | {'yes' if one['holds'] else 'NO'} |" for one in found
    ]
    return "\n".join(["| claim | measured | bound | holds |", "|---|---|---|---|", *rows]) + "\n"
