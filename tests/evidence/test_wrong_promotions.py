"""Where there is nothing to gain, hardly anything is promoted: simulated marketplaces, models refitted each time."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from experiments.experiment.experiment import sample_of
from experiments.promotion.gates.auc_claim import alpha_for
from pipelines.applications.applications import load_applications
from pipelines.applications.settings import SplitSettings
from pipelines.applications.splits import split_applications
from pipelines.candidates.families.scorecard import Scorecard, ScorecardCandidate, ScorecardParameters
from pipelines.candidates.sample import Sample
from pipelines.credit.discrimination import delong_difference
from pipelines.storage.workspace import Workspace
from tests.evidence.conftest import Evidence
from tests.evidence.small_marketplace import small_marketplace

pytestmark = pytest.mark.integration  # simulates markets and fits many models

CUSTOMERS = 12_000
CONFIDENCE = 0.95


def test_equal_challengers_are_hardly_ever_promoted(
    evidence: Evidence, not_significantly_above: Callable[[int, int, float], bool]
) -> None:
    rounds = evidence.size(full=200, reduced=2)
    wrong = sum(wrongly_promoted(rounds, challengers=1))
    holds = not_significantly_above(wrong, rounds, 1 - CONFIDENCE)
    evidence.record(
        "34-wrong-promotions",
        claim="rounds of no true difference, applications simulated and both models refitted each time: the "
        "challenger is promoted",
        value=f"{wrong} of {rounds} rounds",
        bound="not significantly above 5%",
        holds=holds,
    )
    assert holds


@pytest.mark.integration
def test_twenty_equal_challengers_on_one_test_part_are_no_twenty_chances(
    evidence: Evidence, not_significantly_above: Callable[[int, int, float], bool]
) -> None:
    rounds = evidence.size(full=200, reduced=1)
    wrong = sum(wrongly_promoted(rounds, challengers=20))
    holds = not_significantly_above(wrong, rounds, 1 - CONFIDENCE)
    evidence.record(
        "35-twenty-challengers",
        claim="the same with 20 challengers tried on one test part: any of them is promoted",
        value=f"{wrong} of {rounds} rounds",
        bound="not significantly above 5%",
        holds=holds,
    )
    assert holds


def wrongly_promoted(rounds: int, *, challengers: int) -> Iterator[bool]:
    """Yield whether any challenger of each round passed the claim gate."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield from pool.map(partial(any_is_promoted, challengers), range(rounds))


def any_is_promoted(challengers: int, seed: int) -> bool:
    """Simulate applications, fit a champion and challengers on the development part, and ask the gate."""
    with TemporaryDirectory() as folder:
        development, test = _parts(Path(folder), seed)
    generator = np.random.default_rng(seed)
    champion = _fitted(development, generator).log_odds(test.columns)
    for tried_before in range(challengers):
        challenger = _fitted(development, generator).log_odds(test.columns)
        found = delong_difference(test.bad, challenger, champion, confidence=CONFIDENCE)
        if found.p_better() <= alpha_for(tried_before, CONFIDENCE):
            return True
    return False


def _parts(folder: Path, seed: int) -> tuple[Sample, Sample]:
    """Return the development and the test part of a marketplace of its own."""
    data = small_marketplace(folder, seed=seed, customers=CUSTOMERS)
    applications = load_applications(data, Workspace.at(str(folder)))
    split = split_applications(applications, SplitSettings(seed=seed))
    return sample_of(applications.take(split.development)), sample_of(applications.take(split.test))


def _fitted(development: Sample, generator: np.random.Generator) -> Scorecard:
    """Return a scorecard fitted on a bootstrap draw of the development part: of equal worth, and never the same."""
    drawn = generator.integers(0, len(development.bad), len(development.bad))
    return ScorecardCandidate(ScorecardParameters()).fit(development.take(np.sort(drawn)), seed=0, threads=1)
