"""The simulated marketplace is shaped like a real one: skew, seasons, bursts, late records, a policy that selects."""

import numpy as np
import pytest
from scipy.stats import binomtest, spearmanr
from sklearn.metrics import roc_auc_score

from tests.pipelines.simulation.lakes import Lake, labelled


def test_orders_per_customer_are_skewed_around_the_mean_that_was_asked_for(lake: Lake) -> None:
    orders = lake.ask("""
        select count(o.order_id) as n from customers left join orders o using (customer_id) group by customer_id
    """)["n"].to_numpy()
    assert 17 < orders.mean() < 23
    assert np.median(orders) < 10
    largest = np.sort(orders)[-len(orders) // 1_000 :]  # of a million, the thousand largest
    assert largest.min() > 1_000
    assert 0.1 < largest.sum() / orders.sum() < 0.4


def test_festivals_seasons_and_weekdays_sell(lake: Lake) -> None:
    by_day = lake.ask("select ordered_at::date as day, count(*) as n from orders group by 1")
    sold = {day.strftime("%m-%d"): n for day, n in zip(by_day["day"], by_day["n"], strict=True) if day.year == 2024}
    usual = np.median(list(sold.values()))
    assert sold["11-11"] > 3 * usual
    assert sold["06-18"] > 2 * usual
    assert sold["11-29"] > 2 * usual  # Black Friday
    weekend = lake.one("select avg((dayofweek(ordered_at) in (5, 6))::int) from orders")
    assert weekend > 2 / 7
    night, evening = (
        lake.one(f"select avg((hour(ordered_at) {which})::int) from orders") for which in ("< 6", "in (20, 21)")
    )
    assert 0.05 < night < 0.2 < evening * 2


def test_orders_come_in_bursts(lake: Lake) -> None:
    gaps = lake.ask("""
        select epoch(ordered_at - lag(ordered_at) over (partition by customer_id order by ordered_at)) / 86400 as days
        from orders where customer_id in (select customer_id from orders group by 1 having count(*) between 8 and 40)
    """)["days"].dropna()
    # Evenly spread orders would follow within a day as often as exp says, given their mean gap.
    assert (gaps < 1).mean() > 2 * (1 - np.exp(-1 / gaps.mean()))


def test_few_records_arrive_late_and_few_orders_come_back(lake: Lake) -> None:
    late = lake.one("select avg((available_at is not null)::int) from orders")
    assert 0.003 < late < 0.007
    assert lake.one("select min(available_at - ordered_at) >= interval 1 hour from orders")
    assert 0.03 < lake.one("select avg((returned_at is not null)::int) from orders") < 0.08
    assert lake.one("select count(*) from orders where returned_at is not null and cancelled_at is not null") == 0


def test_the_policy_selects_and_approves_a_slice_by_lot(lake: Lake) -> None:
    share = lake.one("select count(*) / (select count(*) from orders) from applications")
    assert 0.04 < share < 0.09
    risk = lake.ask("""
        select decision, avg(true_pd_dpd90_in_12_months) as pd from applications join truth using (application_id)
        where not is_random_approval group by 1
    """).set_index("decision")["pd"]
    assert 0.06 < risk["approved"] < 0.10
    assert risk["declined"] > 1.5 * risk["approved"]
    lot, declined = lake.ask("""
        select count(*) filter (is_random_approval), count(*) filter (decision = 'declined') from applications
    """).iloc[0]
    assert binomtest(int(lot), int(lot + declined), 0.02).pvalue > 0.001
    assert lake.one("select corr(price, decision_score) from applications") < -0.9


def test_outcomes_follow_the_true_probability_as_far_as_chance_allows(lake: Lake) -> None:
    loans = labelled(lake, "dpd90_in_12_months", "2026-01-01")
    assert 0.06 < loans["bad"].mean() < 0.10
    assert 0.75 < roc_auc_score(loans["bad"], loans["pd"]) < 0.80


@pytest.mark.parametrize(
    ("habit", "latent", "sign"),
    [
        ("avg((hour(ordered_at) < 6)::int)", "latent_prudence", -1),
        ("avg((payment_method = 'cash_on_delivery')::int)", "latent_prudence", -1),
        ("avg((discount > 0)::int)", "latent_prudence", -1),
        ("avg((returned_at is not null)::int)", "latent_prudence", -1),
        ("avg((day(ordered_at) between 25 and 29)::int)", "latent_prudence", -1),
        ("stddev(epoch(gap)) / avg(epoch(gap))", "latent_prudence", -1),
        ("avg(ln(amount))", "latent_income", +1),
        ("avg((category = 'travel')::int)", "latent_income", +1),
    ],
)
def test_habits_tell_of_what_nobody_sees(habit: str, latent: str, sign: int, lake: Lake) -> None:
    pairs = lake.ask(f"""
        with o as (select *, ordered_at - lag(ordered_at) over (partition by customer_id order by ordered_at) as gap
                   from orders),
        latents as (select customer_id, avg({latent}) as latent from truth join applications using (application_id)
                    group by 1)
        select {habit} as habit, any_value(latent) as latent from o join latents using (customer_id)
        group by customer_id having count(*) between 15 and 500
    """).dropna()
    found = spearmanr(pairs["habit"], pairs["latent"])
    assert sign * found.statistic > 0.05
    assert found.pvalue < 1e-4


def test_after_an_income_shock_customers_order_less(lake: Lake) -> None:
    around = lake.one("""
        with shocked as (select customer_id, any_value(latent_shock_at) as struck from truth
                         join applications using (application_id) where latent_shock_at is not null
                         and applied_at < latent_shock_at group by 1
                         having any_value(latent_shock_at) between timestamp '2022-10-01' and timestamp '2025-07-01')
        select count(*) filter (ordered_at between struck and struck + interval 180 day)
            / count(*) filter (ordered_at between struck - interval 180 day and struck)
        from orders join shocked using (customer_id)
    """)
    assert around < 0.85


def test_age_and_sex_say_a_little_about_the_latents_and_no_more(lake: Lake) -> None:
    related = lake.ask("""
        select corr(birth_year, prudence) as age, corr((sex = 'female')::int, prudence) as sex from (
            select birth_year, sex, avg(latent_prudence) as prudence from truth join applications using (application_id)
            join customers using (customer_id) group by customer_id, birth_year, sex)
    """).iloc[0]
    assert -0.4 < related["age"] < -0.05
    assert abs(related["sex"]) < 0.15
