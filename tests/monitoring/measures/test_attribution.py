"""What moved the score is found from counts, with its noise, and its parts add up."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from monitoring.measures.attribution import Attribution, attribute
from monitoring.verdict.attribution_in_words import attribution_in_words
from monitoring.windows.references import Reference
from pipelines.credit.points import PointsScale, points
from pipelines.credit.population import Population
from pipelines.policy.pack import PolicySettings
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.mean_contributions import with_contributions
from pipelines.profiles.reference_profile import SCORE, ReferenceProfile
from pipelines.profiles.score_counts import ScoreCounts
from pipelines.profiles.window_profile import WindowProfile, name_of_bins

ADDED = {"income": -0.8, "debt": 0.5, "noise": 0.0}
CHANNEL = {"app": 0.4, "web": 0.0, "shop": -0.3}
NAMES = [*ADDED, "channel"]
MONTHS = np.repeat(np.arange("2025-01", "2026-01", dtype="datetime64[M]"), 500).astype("datetime64[D]")


def people(rows: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    table = pd.DataFrame({name: generator.standard_normal(rows) for name in ADDED})
    return table.assign(channel=generator.choice([*CHANNEL], rows, p=[0.3, 0.5, 0.2]).astype(object))


def explain(rows: pd.DataFrame) -> tuple[float, np.ndarray]:
    return -2.0, np.column_stack(
        [*(weight * rows[name] for name, weight in ADDED.items()), rows["channel"].map(CHANNEL)]
    )


def probability(rows: pd.DataFrame) -> np.ndarray:
    base, added = explain(rows)
    return np.asarray(expit(base + added.sum(axis=1)))


def window(profile: ReferenceProfile, rows: pd.DataFrame) -> WindowProfile:
    asked = probability(rows)
    score = points(asked, PointsScale())
    values = {**rows, SCORE: score.astype(float)}
    counts = {one.column: one.count(np.asarray(values[one.column])) for one in profile.bins}
    return WindowProfile(name_of_bins(profile), Tally(len(rows), counts, scores=ScoreCounts.of(score, asked)), {})


def reference() -> Reference:
    rows = people(len(MONTHS), 1)
    asked = probability(rows)
    profile = profile_of(points(asked, PointsScale()), asked, rows, [*ADDED], Population.applications, MONTHS)
    profile = with_contributions(profile, rows, asked, NAMES, explain)
    return Reference("a year", profile, profile.by_period, {}, is_development=True)


REFERENCE = reference()


def of(rows: pd.DataFrame) -> Attribution:
    found = attribute(REFERENCE, window(REFERENCE.profile, rows), PolicySettings())
    assert found is not None
    return found


def test_the_contributions_of_bins_are_their_means() -> None:
    levels = dict(zip(REFERENCE.profile.bins[-1].labels, REFERENCE.profile.contributions["channel"], strict=True))
    assert {name: levels[name] for name in CHANNEL} == pytest.approx(CHANNEL, abs=1e-9)
    assert ReferenceProfile.from_json(REFERENCE.profile.to_json()).contributions == REFERENCE.profile.contributions


@pytest.mark.parametrize("seed", range(5))
def test_the_parts_of_each_shift_add_up_to_it(seed: int) -> None:
    rows = people(2500, seed)
    rows["income"] += 0.1 * seed
    found = of(rows)
    assert sum(one.log_odds for one in found.parts) == pytest.approx(found.log_odds, abs=1e-9)
    assert sum(one.pd for one in found.parts) == pytest.approx(found.pd, abs=1e-9)
    assert sum(one.approval_rate or 0 for one in found.parts) == pytest.approx(found.approval_rate, abs=1e-9)
    exact = logit(probability(rows)).mean() - logit(probability(people(len(MONTHS), 1))).mean()
    assert found.log_odds == pytest.approx(exact, abs=0.002)  # points are whole numbers


@pytest.mark.parametrize(("column", "shift"), [("income", 0.4), ("debt", -0.5), ("noise", 3.0)])
def test_a_column_has_the_part_that_it_moved_the_score_by(column: str, shift: float) -> None:
    rows = people(5000, 8)
    rows[column] += shift
    rows["noise"] += 3  # far the largest PSI, and nothing to decisions
    found = of(rows)
    part = next(one for one in found.parts if one.column == column)
    assert part.log_odds == pytest.approx(shift * ADDED[column], abs=0.04)
    assert [one.column for one in found.that_matter] == ([] if column == "noise" else [column])


def test_months_without_a_shift_name_no_column() -> None:
    named = [one.column for seed in range(100, 150) for one in of(people(2500, seed)).that_matter]
    assert len(named) <= 2


def test_a_sentence_names_the_parts() -> None:
    rows = people(5000, 9)
    rows["channel"] = rows["channel"].replace("web", "app")
    text = attribution_in_words(of(rows))
    assert text.startswith("channel +0.2")
    assert "in all +0.2" in text
    assert "approval rate -" in text


def test_without_contributions_or_scores_nothing_is_attributed() -> None:
    rows = people(500, 3)
    now = window(REFERENCE.profile, rows)
    without = WindowProfile(now.bins, Tally(500, now.overall.columns), {})
    assert attribute(REFERENCE, without, None) is None
    profile = profile_of(points(probability(rows), PointsScale()), probability(rows), rows, [*ADDED],
                         Population.applications)  # fmt: skip
    assert with_contributions(profile, rows, probability(rows), NAMES, lambda _: None) is profile
    assert attribute(Reference("", profile, profile.by_period, {}, is_development=True), now, None) is None
