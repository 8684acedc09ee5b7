"""The true probability of default is true: by hand, against drawn loans, and against what the simulation realised."""

import numpy as np
import pytest

from pipelines.credit.loan import DEFINITIONS, BadDefinition, Instalments, LoanContract, Loans, labels
from pipelines.simulation.hazards import Hazards, chance_later_than, late_seconds, true_pd
from tests.pipelines.simulation.lakes import Lake, decile_misses, labelled, poisson_binomial

INSTALMENT_COLUMNS = {
    "number": "int64",
    "due_at": "datetime64[us]",
    "due_amount": "int64",
    "paid_at": "datetime64[us]",
    "paid_amount": "int64",
}


def schedule(start: str, stops: float, pays_off: float, is_late: float, term: int) -> tuple[Hazards, np.ndarray]:
    """One loan with the same chances at each instalment."""
    from_start = np.array([start], "M8[s]").astype(np.int64)
    month = np.datetime64(start, "M") + np.arange(1, 25)
    offset = np.datetime64(start, "s") - np.datetime64(start, "M").astype("M8[s]")
    due = (month.astype("M8[s]") + offset).astype(np.int64)[None, :]  # for days up to the 28th
    chance = np.ones((1, 24))
    return Hazards(
        due, np.arange(1, 25)[None, :] <= term, stops * chance, pays_off * chance, is_late * chance
    ), from_start


def test_one_instalment_by_hand() -> None:
    hazards, start = schedule("2024-03-10T12:00", 0.1, 0.2, 0.3, term=3)
    # Stops, or pays, goes on and is late by more than 30 days.
    late = 0.9 * 0.8 * 0.3 * chance_later_than(30)
    assert true_pd(hazards, start, DEFINITIONS["first_payment_default"])[0] == pytest.approx(0.1 + late)
    # Instalments due in April and May reach 30 days by 10 June (29 May + 12 days), June's does not.
    goes_on = 0.9 * 0.8 - late
    assert true_pd(hazards, start, DEFINITIONS["dpd30_at_3_mob"])[0] == pytest.approx((0.1 + late) * (1 + goes_on))


def test_february_is_too_short_for_thirty_days() -> None:
    # The second instalment of a loan of 10 December is due on 10 February; 30 days later the window has closed.
    hazards, start = schedule("2024-12-10T12:00", 0.1, 0.0, 0.0, term=3)
    assert true_pd(hazards, start, DEFINITIONS["dpd30_at_3_mob"])[0] == pytest.approx(0.1)


@pytest.mark.parametrize(("term", "exposed"), [(3, 3), (6, 6), (12, 9), (24, 9)])
def test_only_instalments_that_can_be_ninety_days_late_in_the_window_count(term: int, exposed: int) -> None:
    hazards, start = schedule("2024-03-10T12:00", 0.05, 0.1, 0.9, term)  # lateness never reaches 90 days
    expected = sum(0.05 * (0.95 * 0.9) ** number for number in range(exposed))
    assert true_pd(hazards, start, DEFINITIONS["dpd90_in_12_months"])[0] == pytest.approx(expected)


def test_a_window_of_a_user_s_own_follows_the_same_law() -> None:
    hazards, start = schedule("2024-03-10T12:00", 0.05, 0.0, 0.5, term=6)
    harmed = 0.05 + 0.95 * 0.5 * chance_later_than(10)
    assert true_pd(hazards, start, BadDefinition(10, 2))[0] == pytest.approx(harmed)  # the second is due when it closes
    assert true_pd(hazards, start, BadDefinition(10, 3))[0] == pytest.approx(1 - (1 - harmed) ** 2)


def test_late_payments_cure_before_ninety_days_and_the_share_beyond_is_exact() -> None:
    late = late_seconds(np.random.default_rng(3).random(400_000)) / 86_400
    assert late.min() >= 1
    assert late.max() < 90
    assert (late > 30).mean() == pytest.approx(chance_later_than(30), abs=0.004)
    assert chance_later_than(89) == 0


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_realised_rates_of_the_deciles_lie_in_simultaneous_intervals(definition: str, lake: Lake) -> None:
    loans = labelled(lake, definition, "2026-01-01")
    assert len(loans) > 5_000
    assert not decile_misses(loans["pd"].to_numpy(), loans["bad"].to_numpy())


def test_the_intervals_would_notice_a_wrong_truth(lake: Lake) -> None:
    loans = labelled(lake, "dpd90_in_12_months", "2026-01-01")
    bad, pd = loans["bad"].to_numpy(), loans["pd"].to_numpy()
    assert decile_misses(pd * 0.8, bad)
    assert decile_misses(np.full(len(pd), pd.mean()) + 1e-9 * pd, bad)  # a ranking without levels


def test_the_exact_distribution_agrees_with_a_worked_case() -> None:
    # given chances 0.1, 0.5 and 0.9: none with 0.9 x 0.5 x 0.1, all with 0.1 x 0.5 x 0.9
    assert poisson_binomial(np.array([0.1, 0.5, 0.9])) == pytest.approx([0.045, 0.455, 0.455, 0.045])


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_the_loan_contract_gives_the_labels_that_truth_is_graded_on(definition: str, lake: Lake) -> None:
    applications = lake.ask("select * from applications order by application_id")
    paid = lake.ask("select * from instalments")
    moments = ("disbursed_at", "refunded_at", "fraud_confirmed_at", "written_off_at")
    loans = Loans(
        (applications["decision"] == "approved").to_numpy(),
        *(applications[name].to_numpy("datetime64[us]") for name in moments),
    )
    place = np.searchsorted(applications["application_id"], paid["application_id"])
    instalments = Instalments(
        place,
        *(paid[name].to_numpy(kind) for name, kind in INSTALMENT_COLUMNS.items()),
    )
    found = labels(loans, instalments, LoanContract(DEFINITIONS[definition], "2026-01-01"))
    expected = labelled(lake, definition, "2026-01-01").set_index("application_id")["bad"].sort_index()
    assert applications["application_id"][found >= 0].tolist() == expected.index.tolist()
    assert (found[found >= 0] == expected.to_numpy()).all()


def test_declined_applications_carry_truth_too(lake: Lake) -> None:
    declined = "truth join applications using (application_id) where decision = 'declined'"
    assert lake.one(f"select count(*) from {declined}") > 1_000
    for name in DEFINITIONS:
        assert lake.one(f"select min(true_pd_{name}) > 0 and max(true_pd_{name}) < 1 from {declined}")
    assert lake.one("select bool_and(true_pd_first_payment_default <= true_pd_dpd30_at_3_mob + 1e-12) from truth")
