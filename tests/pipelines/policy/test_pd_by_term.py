"""A PD taken to other terms, against the simulated marketplace, where the truth about every term is known."""

from dataclasses import dataclass

import numpy as np
import pytest

from pipelines.credit.arrays import Floats
from pipelines.credit.hazard import instalments_in_window, survival
from pipelines.credit.loan import DEFINITIONS
from pipelines.policy.offer_settings import SIMULATED_SHAPE
from pipelines.simulation.hazards import Hazards
from pipelines.simulation.settings import SimulateSettings
from pipelines.simulation.story import draw_story, hazards
from pipelines.simulation.world import build_world

TERMS = (3, 6, 12, 24)
BAD = DEFINITIONS["dpd90_in_12_months"]


@dataclass(frozen=True)
class Book:
    """Simulated applications: the term asked for, the true PD of the 12-month window, the true chances by month."""

    term: np.ndarray
    pd: Floats
    chances: Hazards

    def truth(self, months: int, *, with_payoff: bool) -> Floats:
        """Return the chance to stop paying within so many months of a loan that is at least as long."""
        goes_on = 1 - self.chances.stops
        if with_payoff:
            goes_on = goes_on * (1 - self.chances.pays_off)
        before = np.cumprod(np.column_stack([np.ones(len(goes_on)), goes_on[:, : months - 1]]), axis=1)
        return np.asarray((before * self.chances.stops[:, :months]).sum(axis=1))


@pytest.fixture(scope="module")
def book() -> Book:
    world = build_world(SimulateSettings(customers=10_000))
    story = draw_story(world, 0, 0, 10_000, (10_000, 10_000))
    chances = hazards(world, story.shoppers, story.requests, story.loans.starts_at)
    return Book(story.requests.term, story.true_pds["dpd90_in_12_months"], chances)


@pytest.mark.parametrize("asked", TERMS)
@pytest.mark.parametrize("offered", TERMS)
def test_the_pd_of_another_term_is_near_the_truth(book: Book, asked: int, offered: int) -> None:
    rows = book.term == asked
    found = 1 - survival(book.pd[rows], instalments_in_window(BAD, asked), SIMULATED_SHAPE, offered)[:, -1]
    truth = book.truth(offered, with_payoff=False)[rows]
    assert found.mean() == pytest.approx(truth.mean(), rel=0.1)
    assert np.corrcoef(found, truth)[0, 1] > 0.95


def test_the_pd_as_it_is_would_be_far_from_it(book: Book) -> None:
    rows = book.term == 3
    assert book.truth(24, with_payoff=False)[rows].mean() > 3 * book.pd[rows].mean()


@pytest.mark.parametrize("asked", TERMS)
def test_early_repayment_makes_long_terms_lose_less_than_is_reckoned(book: Book, asked: int) -> None:
    rows = book.term == asked
    found = (1 - survival(book.pd[rows], instalments_in_window(BAD, asked), SIMULATED_SHAPE, 24)[:, -1]).mean()
    truth = book.truth(24, with_payoff=True)[rows].mean()
    assert truth < found < 1.25 * truth
