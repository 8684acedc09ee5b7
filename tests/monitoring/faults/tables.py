"""Tables of features with a reference profile, to plant faults in."""

import numpy as np
import pandas as pd

from monitoring.faults.fault import Fault
from monitoring.faults.observed import Intake, Observed
from monitoring.faults.search import find_faults
from pipelines.credit.population import Population
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.reference_profile import SCORE, ReferenceProfile

NUMERIC = ["amount", "income", "orders", "is_new", "age", "fee"]
CITIES, CITY_SHARES = ["Hangzhou", "Ningbo", "Wenzhou", "Jinhua"], [0.5, 0.3, 0.15, 0.05]


def draw(rows: int = 5000, seed: int = 0) -> pd.DataFrame:
    """Return features: amounts in minor units, few values, a sparse one, negative ones, categories."""
    generator = np.random.default_rng(seed)
    income = generator.lognormal(8, 0.8, rows)
    return pd.DataFrame(
        {
            "amount": generator.lognormal(10, 1, rows).round(),
            "income": np.where(generator.random(rows) < 0.2, np.nan, income),
            "orders": generator.poisson(2, rows).astype(float),
            "is_new": (generator.random(rows) < 0.3).astype(float),
            "age": generator.normal(38, 9, rows).clip(18).round(),
            "fee": -generator.gamma(2, 50, rows),
            "city": generator.choice(CITIES, rows, p=CITY_SHARES).astype(object),
        }
    )


def profile(features: pd.DataFrame) -> ReferenceProfile:
    """Return the profile of features with some points."""
    points = np.random.default_rng(len(features)).integers(350, 950, len(features))
    return profile_of(
        points, points / 1000, features, [name for name in features if name in NUMERIC], Population.applications
    )


REFERENCE = profile(draw(20_000, seed=99))


def counted(reference: ReferenceProfile, features: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the counts of features, and of points as the reference has them, in the reference's bins."""
    found = {one.column: one.count(features[one.column].to_numpy()) for one in reference.bins if one.column in features}
    share = np.array(reference.counts[SCORE]) / reference.rows
    return found | {SCORE: np.random.default_rng(int(features.size)).multinomial(len(features), share)}


def observed(features: pd.DataFrame, period: str = "2026-10", intake: Intake | None = None) -> Observed:
    """Return a window of these features."""
    return Observed(period, len(features), counted(REFERENCE, features), intake)


def faults_of(features: pd.DataFrame, *earlier: Observed, sample: bool = True) -> list[Fault]:
    """Return the faults of a window of these features."""
    return find_faults(REFERENCE, observed(features), features if sample else pd.DataFrame(), earlier)


def kinds(faults: list[Fault]) -> list[tuple[str, str | None]]:
    """Return what was found, by name."""
    return [(one.kind, one.column) for one in faults]
