"""The native scorer: coded and single-precision columns, one row and many, and frames say the same to the last bit."""

from pathlib import Path

import numpy as np
import pytest

from pipelines.candidates.portable_model import columns_of, levels_of
from pipelines.model_store.predictor import Predictor, load_predictor
from pipelines.model_store.store import ModelStore
from pipelines.policy.pack import Automation, PolicySettings, ReasonSettings
from pipelines.scoring.reasons import reasons_of
from pipelines.scoring.scorer import Scorer, select_rows
from pipelines.storage.workspace import Workspace
from tests.pipelines.candidates.test_conformance import CATEGORICAL, NUMERIC, OWN_FAMILIES, a_table, nasty, trained
from tests.pipelines.model_store.champions import make_champion


@pytest.fixture(scope="module", params=OWN_FAMILIES)
def predictor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    folder: Path = tmp_path_factory.mktemp("scorer")
    store = ModelStore(Workspace.at(str(folder / "workspace")))
    return load_predictor(store, make_champion(store, trained(request.param), folder / "model"))


def coded(table: object) -> dict[str, object]:
    columns = columns_of(table, NUMERIC, CATEGORICAL)
    return columns | {name: levels_of(columns[name]) for name in CATEGORICAL}


def test_coded_columns_get_the_answers_of_texts(predictor: Predictor) -> None:
    scorer, table = Scorer(predictor, PolicySettings()), nasty()
    plain, numbered = scorer.score(columns_of(table, NUMERIC, CATEGORICAL)), scorer.score(coded(table))
    np.testing.assert_array_equal(plain.raw_score, numbered.raw_score)
    np.testing.assert_array_equal(plain.pd, predictor.probability_of_bad(table))
    np.testing.assert_array_equal(plain.pd, numbered.pd)
    rows = np.arange(len(table))
    texts = columns_of(table, NUMERIC, CATEGORICAL)
    assert scorer.reasons(texts, rows) == scorer.reasons(coded(table), rows)


def test_single_precision_gets_the_answers_of_the_same_numbers_in_double(predictor: Predictor) -> None:
    columns = columns_of(a_table(200, seed=8)[0], NUMERIC, CATEGORICAL)
    single = {name: columns[name].astype(np.float32) if name in NUMERIC else columns[name] for name in columns}
    double = {name: single[name].astype(np.float64) if name in NUMERIC else single[name] for name in single}
    scorer = Scorer(predictor, PolicySettings())
    np.testing.assert_array_equal(scorer.score(single).pd, scorer.score(double).pd)
    some = single | {name: levels_of(single[name]) for name in CATEGORICAL}
    np.testing.assert_array_equal(scorer.score(some).pd, scorer.score(double).pd)


def test_one_row_gets_the_answer_it_gets_among_thousands(predictor: Predictor) -> None:
    table = a_table(2000, seed=9)[0]
    scorer, columns = Scorer(predictor, PolicySettings()), coded(table)
    many = scorer.score(columns)
    reasons = scorer.reasons(columns, np.arange(60))
    for row in range(0, 60):
        one = select_rows(columns, np.array([row]))
        alone = scorer.score(one)
        assert (alone.raw_score[0], alone.pd[0], alone.points[0]) == (
            many.raw_score[row],
            many.pd[row],
            many.points[row],
        )
        assert scorer.reasons(one, np.array([0])).sizes == [reasons.sizes[row]]


def test_points_become_a_band_and_a_decision(predictor: Predictor) -> None:
    columns = coded(a_table(500, seed=10)[0])
    first = Scorer(predictor, PolicySettings()).score(columns)
    middle = int(np.median(first.points))
    policy = PolicySettings(bands=[middle], approve_from=middle, automation=Automation.declines_are_referred)
    found = Scorer(predictor, policy).score(columns)
    assert set(found.decision[found.points >= middle]) == {"approved"}
    assert set(found.decision[found.points < middle]) == {"referred"}
    assert set(found.band[found.points >= middle]) == {f"{middle}-950"}
    assert found.unapproved.tolist() == np.flatnonzero(found.points < middle).tolist()


def test_reasons_of_columns_are_those_of_the_frame(predictor: Predictor) -> None:
    table = a_table(50, seed=11)[0]
    scorer = Scorer(predictor, PolicySettings())
    rows = np.array([3, 8, 40])
    assert scorer.reasons(coded(table), rows) == reasons_of(predictor, table.iloc[rows], ReasonSettings())


def test_an_infinite_number_is_refused(predictor: Predictor) -> None:
    with pytest.raises(ValueError, match="column 'income' has infinite numbers"):
        Scorer(predictor, PolicySettings()).score(coded(nasty().assign(income=np.inf)))


@pytest.mark.integration
def test_a_decision_in_one_pass_has_the_answers_and_reasons_of_two(predictor: Predictor) -> None:
    policy = PolicySettings(approve_from=700, reasons=ReasonSettings(wording={"city": "where you live"}))
    for table in (nasty(), a_table(900, seed=11)[0], a_table(1500, seed=12)[0]):
        scorer = Scorer(predictor, policy)
        for columns in (coded(table), columns_of(table, NUMERIC, CATEGORICAL)):
            answers, reasons = scorer.decide(columns)
            expected = scorer.score(columns)
            np.testing.assert_array_equal(answers.raw_score, expected.raw_score)
            np.testing.assert_array_equal(answers.pd, expected.pd)
            assert reasons == scorer.reasons(columns, expected.unapproved)
            for place, row in enumerate(expected.unapproved[:40].tolist()):
                alone, told = scorer.decide(select_rows(columns, np.array([row])))
                assert alone.raw_score[0] == expected.raw_score[row]
                assert (told.words[0], told.sizes[0]) == (reasons.words[place], reasons.sizes[place])
