"""The simulated marketplace sits among real purchase logs, at its defaults and whatever the seed."""

import pyarrow as pa
import pytest

from pipelines.simulation.parts import Plan, simulate_part
from pipelines.simulation.settings import SimulateSettings
from pipelines.simulation.world import build_world
from tests.evidence.conftest import Evidence
from tests.evidence.purchase_logs.real_logs import ONLINE_RETAIL, real_logs, real_returns
from tests.evidence.purchase_logs.realism import compare, year_of

CUSTOMERS = 20_000


def simulated_orders(seed: int) -> pa.Table:
    settings = SimulateSettings(customers=CUSTOMERS, seed=seed)
    world, plan = build_world(settings), Plan(settings.customers, settings.customers_per_part)
    return pa.concat_tables([simulate_part(world, plan, part)["orders"] for part in range(plan.parts)])


def test_simulated_quantiles_lie_within_the_range_of_the_real_logs(evidence: Evidence) -> None:
    if not ONLINE_RETAIL.exists():
        pytest.skip(f"Online Retail does not lie at {ONLINE_RETAIL}")
    seeds = evidence.size(full=10, reduced=1)
    real, returns = {name: year_of(orders) for name, orders in real_logs().items()}, real_returns()
    found = [one for seed in range(seeds) for one in compare(real, year_of(simulated_orders(seed)), returns)]
    inside = sum(one.sits_among for one in found)
    evidence.record(
        "13-realism",
        claim="quantiles (5% to 99%) of the interval between purchases, orders per customer, order value over its "
        f"median and recency, and the share of returns, of the simulated marketplace ({CUSTOMERS:,} customers) lie "
        f"between the smallest and the largest of {', '.join(real)}; each log's last year, buyers only",
        value=f"{inside} of {len(found)} within the range ({inside / len(found):.1%}), "
        f"{len(found) // seeds} for each of {seeds} seeds",
        bound="all",
        holds=inside == len(found),
    )
    assert inside == len(found), [one for one in found if not one.sits_among]
