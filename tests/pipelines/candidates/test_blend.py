"""A blend is the weighted sum of its parts' log-odds, and an average the mean of models that each leave a block out."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from pipelines.candidates.blocks import IN_EVERY_MODEL, samples_without_a_block
from pipelines.candidates.families.blend import Blend, BlendCandidate, BlendParameters, BlendPart, BlendSettings
from pipelines.candidates.families.catboost import CatBoostCandidate, CatBoostParameters
from pipelines.candidates.families.scorecard import ScorecardCandidate, ScorecardParameters
from pipelines.candidates.portable_model import columns_of
from pipelines.candidates.registry import candidate_of, family_named, load_model
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import CalibrationMethod
from pipelines.candidates.training import train
from pipelines.errors import ConfigurationError, RequestError
from tests.pipelines.candidates.test_conformance import CATEGORICAL, NUMERIC, ROWS, a_table, folds_of, nasty

BLOCKS = np.arange(ROWS) % 4
SCORECARD = BlendPart("scorecard", {"max_bins": 4}, 0.25, average=False)
CATBOOST = BlendPart("catboost", {"iterations": 5, "depth": 3}, 0.75, average=True)


@pytest.fixture
def sample() -> Sample:
    table, bad = a_table()
    return replace(Sample.of(table, bad, NUMERIC, CATEGORICAL), blocks=BLOCKS)


def blend_of(*parts: BlendPart) -> BlendCandidate:
    return BlendCandidate(BlendParameters(list(parts)))


def test_the_log_odds_are_the_weighted_sum_of_the_parts(sample: Sample) -> None:
    blend = blend_of(SCORECARD, CATBOOST).fit(sample, seed=1, threads=1)
    scorecard = ScorecardCandidate(ScorecardParameters(max_bins=4)).fit(sample, seed=1, threads=1)
    catboost = CatBoostCandidate(CatBoostParameters(iterations=5, depth=3))
    models = [catboost.fit(sample.take(np.flatnonzero(block != BLOCKS)), seed=1, threads=1) for block in range(4)]
    table = nasty()
    columns = columns_of(table, NUMERIC, CATEGORICAL)
    average = np.mean([model.log_odds(columns) for model in models], axis=0)
    expected = 0.25 * scorecard.log_odds(columns) + 0.75 * average
    np.testing.assert_allclose(blend.log_odds(columns), expected, rtol=1e-12)
    np.testing.assert_allclose(blend.member_log_odds(columns).mean(axis=0), expected, rtol=1e-12)


def test_blocks_follow_the_rows_that_are_taken(sample: Sample) -> None:
    remaining = sample.take(np.flatnonzero(BLOCKS != 2))
    left_out = [set(BLOCKS[BLOCKS != 2]) - set(one.blocks) for one in samples_without_a_block(remaining, seed=0)]  # type: ignore[arg-type]
    assert left_out == [{0}, {1}, {3}]


def test_without_blocks_five_are_drawn_with_a_fifth_of_the_bads_each() -> None:
    table, bad = a_table()
    drawn = list(samples_without_a_block(Sample.of(table, bad, NUMERIC, CATEGORICAL), seed=7))
    again = list(samples_without_a_block(Sample.of(table, bad, NUMERIC, CATEGORICAL), seed=7))
    assert [len(one.bad) for one in drawn] == [ROWS - ROWS // 5] * 5
    assert {bad.sum() - one.bad.sum() for one in drawn} <= {bad.sum() // 5, bad.sum() // 5 + 1}
    assert all(
        (one.columns["tenure"] == other.columns["tenure"]).all() for one, other in zip(drawn, again, strict=True)
    )


@pytest.mark.parametrize(
    "blocks",
    [np.zeros(ROWS, int), np.where(np.arange(ROWS) < 300, 0, 1), np.full(ROWS, IN_EVERY_MODEL)],
    ids=["one block", "a block of three quarters", "no block"],
)
def test_where_no_two_blocks_can_be_left_out_there_is_one_model(sample: Sample, blocks: np.ndarray) -> None:
    (one,) = samples_without_a_block(replace(sample, blocks=blocks), seed=0)
    assert len(one.bad) == ROWS


def test_rows_of_no_block_are_in_every_model(sample: Sample) -> None:
    blocks = np.where(np.arange(ROWS) < 100, IN_EVERY_MODEL, BLOCKS)
    drawn = list(samples_without_a_block(replace(sample, blocks=blocks), seed=0))
    assert len(drawn) == 4
    assert all((one.blocks == IN_EVERY_MODEL).sum() == 100 for one in drawn)


def test_the_models_lie_in_folders_of_their_parts(sample: Sample, tmp_path: Path) -> None:
    trained = train(
        blend_of(SCORECARD, CATBOOST), sample, folds_of(ROWS), CalibrationMethod.logistic, seed=1, threads=1
    )
    trained.save(tmp_path)
    parts = json.loads((tmp_path / "model.json").read_text())["parts"]
    assert [(part["family"], part["weight"], len(part["models"])) for part in parts] == [
        ("scorecard", 0.25, 1),
        ("catboost", 0.75, 4),
    ]
    assert (tmp_path / parts[1]["models"][3] / "model.cbm").exists()
    columns = columns_of(nasty(), NUMERIC, CATEGORICAL)
    np.testing.assert_array_equal(load_model(tmp_path).log_odds(columns), trained.model.log_odds(columns))


def test_tables_of_leaves_answer_bit_for_bit_alike_and_exist_only_where_every_part_has_them(sample: Sample) -> None:
    columns = columns_of(nasty(), NUMERIC, CATEGORICAL)
    tables_of = family_named("blend").leaf_tables
    trees = blend_of(CATBOOST, replace(CATBOOST, weight=0.25, average=False)).fit(sample, seed=1, threads=1)
    tables = tables_of(trees)
    assert tables is not None
    leaves = tables.leaves(columns)
    assert leaves.shape == (60, tables.trees) == (60, 25)
    np.testing.assert_array_equal(tables.log_odds(leaves), trees.log_odds(columns))
    summed = tables.base + tables.contributions(leaves).sum(axis=1)
    np.testing.assert_allclose(summed, trees.log_odds(columns), atol=1e-9)
    assert tables_of(blend_of(SCORECARD, CATBOOST).fit(sample, seed=1, threads=1)) is None


def test_recorded_parts_make_the_same_candidate() -> None:
    recorded = json.loads(json.dumps(asdict(BlendParameters([SCORECARD, CATBOOST]))))
    assert BlendParameters(**recorded) == BlendParameters([SCORECARD, CATBOOST])


def test_the_default_is_one_average() -> None:
    blend = candidate_of(BlendSettings()).parameters
    assert [(part.weight, part.average) for part in blend.parts] == [(1.0, True)]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], r"candidate\.parameters\.parts is empty"),
        ([SCORECARD, SCORECARD], r"weights 0\.25, 0\.25, which sum to 0\.5; use weights above 0 that sum to 1"),
        ([replace(SCORECARD, weight=-1.0), replace(CATBOOST, weight=2.0)], r"weights -1, 2"),
        ([BlendPart("scorecard", weight=float("nan"))], r"weights nan"),
        ([BlendPart("blend")], r"parts\[0\]\.family is blend"),
        ([BlendPart("scorecard", {"max_bin": 3})], r"parts\[0\]\.parameters\.max_bin: .* did you mean max_bins"),
        ([BlendPart("scorecard", {"max_bins": 2.5})], r"parts\[0\]\.parameters\.max_bins is 2\.5; use an integer"),
        ([BlendPart("catboost", {"depth": 20})], r"parts\[0\]\.parameters\.depth is 20; use a number from 1 to 16"),
    ],
)
def test_parts_that_cannot_be_blended_are_refused_before_any_work(parts: list[BlendPart], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        candidate_of(BlendSettings(parameters=BlendParameters(parts)))


def test_a_part_of_an_unknown_family_is_refused() -> None:
    with pytest.raises(RequestError, match="declares the candidate family 'catbost'"):
        blend_of(BlendPart("catbost"))


def test_a_blend_of_one_model_is_that_model(sample: Sample) -> None:
    alone = ScorecardCandidate(ScorecardParameters()).fit(sample, seed=1, threads=1)
    blend = blend_of(BlendPart("scorecard", average=False)).fit(sample, seed=1, threads=1)
    assert isinstance(blend, Blend)
    columns = columns_of(nasty(), NUMERIC, CATEGORICAL)
    np.testing.assert_array_equal(blend.log_odds(columns), alone.log_odds(columns))
