"""Every claim has a figure, and every figure its claim and its commit."""

import json
import re
from pathlib import Path

from tests.evidence.tables import ROOT

HERE = Path(__file__).parent

AWAITED = {
    "70-shared-study-kill",
    "71-shared-study-speed",
    "73-busy-machine",
    "74-workers",
    "83-search-longer",
    "84-search-glue",
    "85-blend-cost",
    "86-own-cost",
    "93-concept-change",
    "93-economic-shock",
    "93-one-month-[a-z_]+",
    "93-quiet-economies-[a-z_]+",
    "94-label-free-[a-z_]+",
}
"""Claims that a test shows at reduced size and whose figure at full size is still to be made; it must get shorter."""


def test_every_figure_was_made_by_code_that_can_be_checked_out() -> None:
    made_by = {path.stem: json.loads(path.read_text())["commit"] for path in (ROOT / "evidence").glob("*.json")}
    assert {name: commit for name, commit in made_by.items() if not re.fullmatch("[0-9a-f]{40}", commit)} == {}


def test_every_claim_has_its_figure() -> None:
    claimed = re.findall(r'record\(\s*f?"([^"]+)"', "".join(path.read_text() for path in HERE.glob("test_*.py")))
    patterns = {re.sub(r"\{[^}]+\}", "[a-z_]+", name) for name in claimed}
    figures = [path.stem for path in (ROOT / "evidence").glob("*.json")]
    assert {one for one in patterns if not any(re.fullmatch(one, figure) for figure in figures)} == AWAITED
    assert {figure for figure in figures if not any(re.fullmatch(one, figure) for one in patterns)} == set()
