"""How orders reach the lake: nothing that happens later, and whatever a faulty delivery does to them."""

from dataclasses import replace

import numpy as np

from pipelines.simulation.baskets import UNKNOWN, Baskets
from pipelines.simulation.draws import Draws, Flags, Ints
from pipelines.simulation.period import NEVER
from pipelines.simulation.settings import Fault
from pipelines.simulation.visits import Visits
from pipelines.simulation.world import World

MINOR_PER_MAJOR = 100


def delivered(world: World, visits: Visits, baskets: Baskets, draws: Draws) -> Baskets:
    """Return the baskets as the lake has them at the end of the period."""
    known = replace(
        baskets,
        returned_at=_known(world, baskets.returned_at),
        cancelled_at=_known(world, baskets.cancelled_at),
        available_at=_known(world, baskets.available_at),
    )
    is_hit = (visits.at >= world.faults_from) & (draws.uniform("fault", len(visits)) < world.fault_share)
    for fault in world.faults:
        known = _with_fault(fault, known, is_hit)
    return known


def _known(world: World, at: Ints) -> Ints:
    return np.where(at < world.period.ends_at, at, NEVER)


def _with_fault(fault: Fault, baskets: Baskets, is_hit: Flags) -> Baskets:
    if fault is Fault.payment_method_missing:
        return replace(baskets, payment_method=np.where(is_hit, UNKNOWN, baskets.payment_method))
    return replace(baskets, amount=np.where(is_hit, baskets.amount // MINOR_PER_MAJOR, baskets.amount))
