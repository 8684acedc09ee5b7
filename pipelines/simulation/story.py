"""All that happens to the customers of one part, drawn step by step."""

from dataclasses import dataclass, replace

import numpy as np

from pipelines.credit.loan import DEFINITIONS
from pipelines.simulation.baskets import INSTALMENTS, Baskets, draw_baskets
from pipelines.simulation.draws import Draws, Floats
from pipelines.simulation.earlier_policy import Decisions, decide
from pipelines.simulation.hazards import hazards, true_pd
from pipelines.simulation.loans import Loans, draw_loans
from pipelines.simulation.population import draw_shoppers
from pipelines.simulation.repayment import Schedule, repay
from pipelines.simulation.requests import Requests, draw_requests
from pipelines.simulation.shoppers import Shoppers
from pipelines.simulation.visits import Visits, draw_visits
from pipelines.simulation.world import World


@dataclass(frozen=True)
class Story:
    """What happened, and the true probability of being bad of each application by the name of its definition."""

    shoppers: Shoppers
    visits: Visits
    baskets: Baskets
    requests: Requests
    decisions: Decisions
    loans: Loans
    schedule: Schedule
    true_pds: dict[str, Floats]


def draw_story(world: World, part: int, first: int, size: int, added: tuple[int, int]) -> Story:
    """Return what happens to `size` customers, numbered from `first` on, and to those that scenarios add to them.

    `added` are the numbers from which newcomers and fraudsters of this part count.
    """
    draws = Draws(world.seed, part)
    shoppers = draw_shoppers(world, part, first, size, added)
    visits = draw_visits(world, shoppers, draws)
    baskets = draw_baskets(world, shoppers, visits, draws)
    requests = draw_requests(world, shoppers, visits, baskets, draws)
    decisions = decide(world, shoppers, visits, baskets, requests, draws)
    loans = draw_loans(world, visits, baskets, requests, decisions, draws)
    chances = hazards(world, shoppers, requests, loans.starts_at)
    schedule = repay(world, requests, loans, decisions.price, chances, draws)
    true_pds = {name: true_pd(chances, loans.starts_at, bad) for name, bad in DEFINITIONS.items()}
    paid = _paid_by_instalments(baskets, requests, loans)
    return Story(shoppers, visits, paid, requests, decisions, loans, schedule, true_pds)


def _paid_by_instalments(baskets: Baskets, requests: Requests, loans: Loans) -> Baskets:
    method = np.copy(baskets.payment_method)
    method[requests.order[loans.is_disbursed]] = INSTALMENTS
    return replace(baskets, payment_method=method)
