"""The description of a version in MLflow: lines that Thinfile keeps up to date, between the words of people."""

import re
from collections.abc import Mapping

BEGIN, END = "<!-- thinfile -->", "<!-- /thinfile -->"
"""Around the lines; MLflow's pages do not show them."""

_BLOCK = re.compile(rf"\n*{BEGIN}\n(.*?)\n{END}\n*", re.DOTALL)
_LINE = re.compile(r"^- \*\*(.+?)\*\*: (.*)$")


def with_lines(description: str, lines: Mapping[str, str]) -> str:
    """Return a description with lines by title, in place of those of the same titles; all other words stay.

    >>> with_lines("Ours.", {"Ledger": "entry 1"})
    'Ours.\\n\\n<!-- thinfile -->\\n- **Ledger**: entry 1\\n<!-- /thinfile -->\\n'
    """
    block = _BLOCK.search(description)
    before, after = (description, "") if block is None else (description[: block.start()], description[block.end() :])
    present = [] if block is None else [found for found in map(_LINE.match, block[1].splitlines()) if found]
    merged = {found[1]: found[2] for found in present} | {
        title: " ".join(line.split()) for title, line in lines.items()
    }
    listed = "\n".join(f"- **{title}**: {line}" for title, line in merged.items())
    words = [one for one in (before.strip(), f"{BEGIN}\n{listed}\n{END}", after.strip()) if one]
    return "\n\n".join(words) + "\n"
