"""Shares of one whole that no longer add up tell that their source lost its categories."""

import numpy as np
import pandas as pd
import pytest

from monitoring.faults.column import columns_of
from monitoring.faults.lost_categories import families_of
from monitoring.faults.observed import Observed
from monitoring.faults.search import find_faults
from pipelines.credit.population import Population
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.reference_profile import SCORE, ReferenceProfile
from tests.monitoring.faults.tables import counted, kinds

PAID = [f"paid_by_{way}_30d" for way in ("card", "wallet", "bank_transfer")]


def draw(rows: int, seed: int, known: float = 1.0) -> pd.DataFrame:
    """Return shares of a customer's orders by payment and channel, of which a part has a payment that is known."""
    generator = np.random.default_rng(seed)
    orders = generator.integers(1, 6, rows)
    paid = np.array(
        [generator.multinomial(number, [0.5 * known, 0.3 * known, 0.2 * known, 1 - known]) for number in orders]
    )
    online = generator.binomial(orders, 0.7)
    table = {name: paid[:, place] / orders for place, name in enumerate(PAID)}
    table |= {"by_app_30d": online / orders, "by_store_30d": 1 - online / orders}
    found = pd.DataFrame(table | {"night_share_30d": generator.random(rows), "late_share_30d": generator.random(rows)})
    return found.mask(np.repeat(generator.random((rows, 1)) < 0.2, len(found.columns), axis=1))


def profile() -> ReferenceProfile:
    features = draw(8000, 1, known=0.93)
    points = np.random.default_rng(0).integers(350, 950, len(features))
    return profile_of(points, points / 1000, features, list(features), Population.applications)


REFERENCE = profile()


def window(features: pd.DataFrame, period: str) -> Observed:
    return Observed(period, len(features), counted(REFERENCE, features))


def test_families_are_the_columns_that_add_up() -> None:
    found = families_of(columns_of(REFERENCE, {}, window(draw(10, 2), ""), pd.DataFrame(), []))
    assert {one.pattern: set(one.names) for one in found} == {
        "paid_by_*_30d": {*PAID},
        "by_*_30d": {"by_app_30d", "by_store_30d"},
    }
    assert SCORE not in {name for one in found for name in one.names}


@pytest.mark.parametrize("known", [0.0, 0.3, 0.5])
def test_lost_categories_are_one_fault_of_the_family(known: float) -> None:
    features = draw(2000, 3, known)
    found = find_faults(REFERENCE, window(features, "2026-10"), features)
    assert [one.kind for one in found] == ["missing values risen"]
    assert found[0].column in PAID
    assert "'paid_by_*_30d' (3 columns)" in found[0].seen


def test_a_category_that_comes_up_step_by_step_is_none() -> None:
    earlier = [window(draw(2000, month, known), f"2026-0{month}") for month, known in ((6, 0.8), (7, 0.7), (8, 0.6))]
    features = draw(2000, 4, known=0.5)
    assert find_faults(REFERENCE, window(features, "2026-10"), features, earlier) == []


def test_people_who_pay_another_way_are_none() -> None:
    features = draw(2000, 5, known=0.93)
    features[PAID[:2]] = features[PAID[1::-1]].to_numpy()
    features["by_app_30d"], features["by_store_30d"] = features["by_store_30d"], features["by_app_30d"]
    assert find_faults(REFERENCE, window(features, "2026-10"), features) == []


def test_a_family_that_is_gone_is_columns_gone() -> None:
    features = draw(2000, 6, known=0.93)
    features[PAID] = np.nan
    assert kinds(find_faults(REFERENCE, window(features, "2026-10"), features)) == [
        ("column gone", name) for name in PAID
    ]
