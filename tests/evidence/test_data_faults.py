"""Data faults are named, and people who change are none."""

from collections.abc import Callable

import numpy as np

from monitoring.faults.search import find_faults, finders
from tests.evidence.conftest import Evidence
from tests.evidence.planted_faults import named
from tests.monitoring.faults.natural import World, draw_world

SMALLEST, LARGEST = 200, 20_000
SHIFTS = (0.0, 0.4, 0.8)


def test_faults_are_named_and_people_who_change_are_none(
    evidence: Evidence, not_significantly_above: Callable[[int, int, float], bool]
) -> None:
    worlds, kinds = evidence.size(full=300, reduced=4), dict.fromkeys(one.kind for one in finders())
    quiet, missed, others = 0, dict.fromkeys(kinds, 0), 0
    months = 0
    for seed in range(worlds):
        world, generator = _world(seed), np.random.default_rng([540, seed])
        months += len(world.windows)
        quiet += _called_faults(world)
        for kind in kinds:
            found, besides = named(kind, world, generator, sample=True)
            missed[kind] += not found
            others += bool(besides)
    planted = worlds * len(missed)
    told = ", ".join(f"{kind} {number}" for kind, number in missed.items() if number) or "none"
    holds = not_significantly_above(quiet, months, 0.01) and all(
        not_significantly_above(number, worlds, 0.05) for number in missed.values()
    )
    evidence.record(
        "54-data-faults",
        claim=f"{months:,} simulated months of {SMALLEST} to {LARGEST:,} rows in which people change (seasons, columns "
        "and mix by up to 0.8 standard deviations, categories that come and go): months in which anything is called a "
        f"data fault; and {planted:,} faults of {len(missed)} kinds planted into such months: faults not named with "
        "their column, months in which something else is named too",
        value=f"{quiet} of {months:,}; not named: {told} (of {worlds} each); {others} of {planted:,}",
        bound="not significantly above 1% of months, and 5% of each kind",
        holds=holds,
    )
    assert holds, (quiet, missed)


def _world(seed: int) -> World:
    generator = np.random.default_rng([54, seed])
    rows = int(np.exp(generator.uniform(np.log(SMALLEST), np.log(LARGEST))))
    return draw_world(seed, rows, float(generator.choice(SHIFTS)))


def _called_faults(world: World) -> int:
    """Return in how many of the months after the reference something is called a fault, with what is known then."""
    return sum(
        bool(find_faults(world.reference, window, features[:5000], world.windows[:place], months=world.months))
        for place, (window, features) in enumerate(zip(world.windows, world.features, strict=True))
    )
