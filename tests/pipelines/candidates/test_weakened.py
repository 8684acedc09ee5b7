"""A weakened candidate stands between the one that uses a feature and the one that does not know it."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.candidates.families.catboost import CatBoostParameters, CatBoostSettings
from pipelines.candidates.families.hist_gradient_boosting import HistGradientBoostingSettings
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.portable_model import Scorer
from pipelines.candidates.registry import candidate_of
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import CandidateSettings
from pipelines.candidates.weakened import WeakenedCandidate

ROWS = 6_000
FAMILIES = [
    ScorecardSettings(),
    HistGradientBoostingSettings(),
    CatBoostSettings(parameters=CatBoostParameters(iterations=60)),
]


@pytest.fixture(scope="module")
def sample() -> Sample:
    generator = np.random.default_rng(3)
    told, other = generator.normal(size=ROWS), generator.normal(size=ROWS)
    bad = (generator.random(ROWS) < 1 / (1 + np.exp(1.5 - 1.2 * told - 0.8 * other))).astype(np.int8)
    twice = told + 0.2 * generator.normal(size=ROWS)
    return Sample({"told": told, "twice": twice, "other": other}, bad, ("told", "twice", "other"), ())


class Keeper:
    """A candidate that keeps the sample it was given."""

    family, parameters = "keeper", None

    def fit(self, sample: Sample, **_: int) -> Sample:
        return sample


def learnt_from(sample: Sample, share: float, seed: int = 0) -> Sample:
    kept = WeakenedCandidate(Keeper(), {("told", "twice"): share}).fit(sample, seed=seed, threads=1)  # type: ignore[arg-type]
    assert isinstance(kept, Sample)
    return kept


def parts(sample: Sample, share: float) -> tuple[Sample, Sample]:
    """Return the rows that have exchanged their values, and those that have not, of a blend."""
    learnt = learnt_from(sample, share)
    rows = np.arange(2 * ROWS)
    return learnt.take(rows[:ROWS]), learnt.take(rows[ROWS:])


def test_the_rows_of_the_blend_keep_their_blocks(sample: Sample) -> None:
    blocks = np.arange(ROWS) % 5
    exchanged, unchanged = parts(replace(sample, blocks=blocks), 0.5)
    np.testing.assert_array_equal(exchanged.blocks, blocks)
    np.testing.assert_array_equal(unchanged.blocks, blocks)


def pairs(sample: Sample) -> NDArray[np.float64]:
    found = np.column_stack([sample.columns["told"], sample.columns["twice"]])
    return found[np.lexsort(found.T)]


def test_exchanges_keep_every_value_and_its_fellows_of_the_group(sample: Sample) -> None:
    exchanged, kept = parts(sample, 0.5)
    np.testing.assert_array_equal(pairs(exchanged), pairs(sample))
    np.testing.assert_array_equal(kept.columns["told"], sample.columns["told"])
    for part in (exchanged, kept):
        np.testing.assert_array_equal(part.columns["other"], sample.columns["other"])
        np.testing.assert_array_equal(part.bad, sample.bad)


def test_what_is_exchanged_tells_nothing_of_the_outcome(sample: Sample) -> None:
    exchanged, kept = parts(sample, 0.5)
    assert abs(np.corrcoef(exchanged.columns["told"], exchanged.bad)[0, 1]) < 4 / np.sqrt(ROWS)
    assert np.corrcoef(kept.columns["told"], kept.bad)[0, 1] > 0.3


def test_rows_weigh_what_they_weighed_in_the_shares_asked_for(sample: Sample) -> None:
    weighed = replace(sample, weights=np.linspace(0.5, 2, ROWS))
    shares = {("told", "twice"): 0.7, ("other",): 0.2}
    blend = WeakenedCandidate(Keeper(), shares).fit(weighed, seed=0, threads=1)  # type: ignore[arg-type]
    assert isinstance(blend, Sample)
    assert blend.weights is not None
    np.testing.assert_allclose(blend.weights.reshape(-1, ROWS).sum(axis=0), weighed.weights)
    for name, share in (("told", 0.7), ("other", 0.2)):
        moved = blend.columns[name] != np.tile(sample.columns[name], 3)
        found = blend.weights[moved].sum() / blend.weights.sum()
        assert found == pytest.approx(share, abs=0.002)  # one in thousands keeps its own


def test_the_seed_decides_the_exchanges(sample: Sample) -> None:
    one, same, other = (learnt_from(sample, 0.5, seed).columns["told"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: candidate_of(family).family)
def test_the_weaker_a_feature_is_made_the_less_a_model_of_any_family_moves_with_it(
    family: CandidateSettings, sample: Sample
) -> None:
    rows = 200
    low, high = (
        {"told": np.full(rows, at), "twice": np.full(rows, at), "other": np.linspace(-2, 2, rows)} for at in (-1.5, 1.5)
    )

    def reach(share: float) -> float:
        candidate = WeakenedCandidate(candidate_of(family), {("told", "twice"): share})
        scorer: Scorer = candidate.fit(sample, seed=0, threads=1)
        return float(np.mean(scorer.log_odds(high) - scorer.log_odds(low)))

    whole, half, little = reach(0.0), reach(0.5), reach(0.9)
    assert whole > half > little
    assert 0.3 * whole < half < 0.8 * whole
    assert little < 0.3 * whole
