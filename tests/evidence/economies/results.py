"""What reports say in many redrawn economies, stored market by market so that a run that was stopped goes on."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.storage.atomic_files import whole_file
from tests.evidence.economies.market import Market, stored_market
from tests.evidence.economies.redraw import Redrawn, Scenario, redraw
from tests.evidence.watched_markets import CHANGED, Size

FIRST = 1_000
"""The number of the first economy; those below it were drawn while the method was chosen."""

ONE_MONTH = "2025-09"
"""The vintage whose p-values are counted: one per economy, so that they are independent."""


@dataclass(frozen=True)
class Markets:
    """Markets by the seeds of their simulation, of one size; `thinned` leaves one in so many applications."""

    folder: Path
    sizes: tuple[Size, ...]
    thinned: int = 1

    def market(self, size: Size) -> Market:
        """Return a market with its share of the applications."""
        market = stored_market(self.folder, size)
        rows = market.applications
        kept = np.random.default_rng(1).integers(self.thinned, size=len(rows)) == 0
        return Market(market.world, rows[kept].reset_index(drop=True))


def results(markets: Markets, scenario: Scenario, economies: int) -> list[dict[str, Any]]:
    """Return the results of so many economies, spread evenly over the markets."""
    each = -(-economies // len(markets.sizes))
    found: list[dict[str, Any]] = []
    for size in markets.sizes:
        name = f"{scenario.name}-seed-{size.seed}-customers-{size.customers}-of-{markets.thinned}-{each}.json"
        path = markets.folder / name
        if not path.exists():
            market = markets.market(size)
            made = [result(redraw(market, scenario, number)) for number in range(FIRST, FIRST + each)]
            with whole_file(path) as temporary:
                temporary.write_text(json.dumps(made))
        found += json.loads(path.read_text())
    return found


def result(redrawn: Redrawn) -> dict[str, Any]:
    """Return the causes by report, and the p-values and e-values of one vintage by test."""
    p_values, e_values = {}, {}
    for kind in ("early", "full", "first_payment", "fraud"):
        found = getattr(redrawn.compared, kind).get(ONE_MONTH)
        for test in ("level", "ranking"):
            if found is not None and getattr(found, test) is not None:
                p_values[f"{kind} {test}"] = getattr(found, test).p_value
                e_values[f"{kind} {test}"] = getattr(found, test).e_value
    return {"causes": redrawn.causes, "p_values": p_values, "e_values": e_values}


def named_by(found: list[dict[str, Any]], cause: str, months: int) -> int:
    """Return in how many economies a report of the first months from the change on names a cause."""
    before = (int(CHANGED[:4]) - 2025) * 12
    return sum(any(cause in causes for causes in one["causes"][before : before + months]) for one in found)
