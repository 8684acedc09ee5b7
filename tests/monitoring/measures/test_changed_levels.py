"""Levels and segments that come and go in a window are found from its counts and named from its sample."""

import numpy as np
import pandas as pd

from monitoring.measures.changed_levels import changed_levels
from monitoring.windows.references import Reference
from pipelines.credit.population import Population
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.reference_profile import ReferenceProfile
from pipelines.profiles.window_profile import WindowProfile, name_of_bins

METHODS = ["card", "wallet", "transfer"]


def people(rows: int, seed: int, city_exponent: float = 1.6) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    method = generator.choice(METHODS, rows, p=[0.6, 0.32, 0.08]).astype(object)
    city = np.array([f"c{one}" for one in generator.zipf(city_exponent, rows)], dtype=object)
    return pd.DataFrame({"method": method, "city": city})


def window_of(profile: ReferenceProfile, rows: pd.DataFrame, **segments: int) -> WindowProfile:
    counts = {one.column: one.count(rows[one.column].to_numpy()) for one in profile.bins[1:]}
    by_segment = {f"branch={name}": Tally(number) for name, number in segments.items()}
    return WindowProfile(name_of_bins(profile), Tally(len(rows), counts), by_segment)


def reference_of(rows: pd.DataFrame, **segments: int) -> Reference:
    points = np.random.default_rng(0).integers(400, 700, len(rows))
    profile = profile_of(points, points / 1000, rows, [], Population.applications)
    by_segment = {f"branch={name}": {"2025-01": Tally(number)} for name, number in segments.items()}
    return Reference("a reference", profile, profile.by_period, by_segment, is_development=True)


def test_a_quiet_month_has_no_change_and_rare_cities_are_none() -> None:
    reference = reference_of(people(5000, 1), north=400, south=4600)
    for seed in range(2, 22):
        rows = people(2500, seed)
        assert changed_levels(reference, window_of(reference.profile, rows, north=200, south=2300), rows) == []


def test_a_new_payment_method_is_named_and_so_is_one_that_is_gone() -> None:
    reference, rows = reference_of(people(5000, 1)), people(2500, 3)
    rows["method"] = np.where(np.arange(2500) % 20 == 0, "instant", rows["method"].replace("transfer", "card"))
    found = changed_levels(reference, window_of(reference.profile, rows), rows)
    assert {(one.cause, one.name) for one in found} == {("level vanished", "transfer"), ("level appeared", "instant")}
    unnamed = changed_levels(reference, window_of(reference.profile, rows), pd.DataFrame())
    assert "new values of method appeared: 125 rows (5.0%)" in {one.sentence.partition(",")[0] for one in unnamed}


def test_a_segment_that_vanished_is_named() -> None:
    reference, rows = reference_of(people(5000, 1), kiosk=400, web=4600), people(2500, 4)
    (change,) = changed_levels(reference, window_of(reference.profile, rows, kiosk=20, web=2300), rows)
    assert change.subject == "segment branch=kiosk"
    (gone,) = changed_levels(reference, window_of(reference.profile, rows, web=2300), rows)
    assert (gone.cause, gone.rows) == ("segment vanished", 0)
