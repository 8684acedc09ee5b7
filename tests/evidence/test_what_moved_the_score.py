"""A shift of one column that a model uses is the first part of what moved its score, whatever else moves."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import logit

from monitoring.measures.attribution import Attribution, attribute
from monitoring.windows.references import Reference
from pipelines.candidates.portable_model import Model, columns_of
from pipelines.credit.points import points
from pipelines.credit.population import Population
from pipelines.policy.pack import PolicySettings
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.mean_contributions import with_contributions
from pipelines.profiles.reference_profile import SCORE
from pipelines.profiles.score_counts import ScoreCounts
from pipelines.profiles.window_profile import WindowProfile, name_of_bins
from tests.evidence.conftest import Evidence
from tests.pipelines.candidates.test_conformance import fitted, folds_of

FAMILIES = ("scorecard", "hist_gradient_boosting")
NUMERIC, USED, LEVELS = 8, 5, ["app", "web", "shop", "kiosk"]
LEARNT, MONTHLY, MONTHS = 4000, 1000, 12
SHIFT = 0.4
"""In standard deviations of a number, and the share of rows that change to the riskiest channel."""

FURTHER = 1.0
"""The move, in standard deviations, of a column that has no effect on default: its PSI is the largest."""

MATTERS = 0.1
"""Log-odds."""


@dataclass(frozen=True)
class Market:
    """A model of correlated features, of which `NUMERIC` - `USED` mean nothing, and its reference of twelve months."""

    generator: np.random.Generator
    effects: np.ndarray
    of_levels: np.ndarray
    model: Model
    reference: Reference

    def mean(self, rows: pd.DataFrame) -> float:
        """Return the mean calibrated log-odds of bad."""
        asked = self.model.probability_of_bad(columns_of(rows, self.model.numeric, self.model.categorical))
        return float(logit(asked).mean())

    def attribution(self, rows: pd.DataFrame) -> Attribution:
        profile, policy = self.reference.profile, PolicySettings()
        asked = self.model.probability_of_bad(columns_of(rows, self.model.numeric, self.model.categorical))
        score = points(asked, policy.scale)
        values = {**rows, SCORE: score.astype(float)}
        counts = {one.column: one.count(np.asarray(values[one.column])) for one in profile.bins}
        tally = Tally(len(rows), counts, scores=ScoreCounts.of(score, asked))
        found = attribute(self.reference, WindowProfile(name_of_bins(profile), tally, {}), policy)
        assert found is not None
        return found


def draw(generator: np.random.Generator, rows: int) -> pd.DataFrame:
    together = generator.standard_normal(rows)[:, None]
    numbers = 0.6 * together + 0.8 * generator.standard_normal((rows, NUMERIC))
    table = pd.DataFrame(numbers, columns=[f"x{index}" for index in range(NUMERIC)])
    return table.assign(channel=generator.choice(LEVELS, rows, p=[0.4, 0.3, 0.2, 0.1]).astype(object))


def market(seed: int, family: str) -> Market:
    generator = np.random.default_rng([18, seed])
    effects = np.append(generator.choice([-1, 1], USED) * generator.uniform(0.4, 0.8, USED), np.zeros(NUMERIC - USED))
    of_levels = generator.permutation([-0.6, -0.2, 0.2, 0.8])
    table = draw(generator, LEARNT + MONTHS * MONTHLY)
    codes = table["channel"].map(LEVELS.index).to_numpy()
    log_odds = -1.5 + table.to_numpy()[:, :NUMERIC].astype(float) @ effects + of_levels[codes]
    bad = (generator.random(len(table)) < 1 / (1 + np.exp(-log_odds))).astype(np.int8)
    numeric = [str(name) for name in table if name != "channel"]
    model = fitted(family, table[:LEARNT], bad[:LEARNT], numeric, ["channel"], folds_of(LEARNT))
    rows = table[LEARNT:].reset_index(drop=True)
    asked = model.probability_of_bad(columns_of(rows, model.numeric, model.categorical))
    times = np.repeat(np.arange("2025-01", "2026-01", dtype="datetime64[M]"), MONTHLY).astype("datetime64[D]")
    score = points(asked, PolicySettings().scale)
    names = [*model.numeric, *model.categorical]
    profile = with_contributions(
        profile_of(score, asked, rows[names], model.numeric, Population.applications, times),
        rows,
        asked,
        names,
        lambda some: model.contributions(columns_of(some, model.numeric, model.categorical)),
    )
    reference = Reference("a year", profile, profile.by_period, {}, is_development=True)
    return Market(generator, effects, of_levels, model, reference)


def planted(of: Market, column: str) -> tuple[pd.DataFrame, bool]:
    """Return a month in which a column moved, and one that has no effect on default moved further.

    The second result is whether the first one matters to the model: alone it moves the mean log-odds by `MATTERS`, and
    twice as far as the other one does, as the model itself scores the same people with and without it.
    """
    rows, other = draw(of.generator, MONTHLY), f"x{NUMERIC - 1}"
    of_column, of_other = rows.copy(), rows.copy()
    of_other[other] += FURTHER
    if column == "channel":
        is_moved = of.generator.random(MONTHLY) < SHIFT
        of_column["channel"] = rows["channel"].mask(is_moved, LEVELS[int(of.of_levels.argmax())])
    else:
        of_column[column] += of.generator.choice([-1, 1]) * SHIFT
    effect, beside = (abs(of.mean(one) - of.mean(rows)) for one in (of_column, of_other))
    return of_column.assign(**{other: of_other[other]}), effect >= max(MATTERS, 2 * beside)


def test_the_column_that_moved_is_the_first_part(
    evidence: Evidence, not_significantly_above: Callable[[int, int, float], bool]
) -> None:
    markets = evidence.size(full=40, reduced=2)
    columns = [*(f"x{index}" for index in range(USED)), "channel"]
    missed, named, furthest, rest, months = 0, 0, 0.0, [], 0
    for seed in range(markets):
        of = market(seed, FAMILIES[seed % len(FAMILIES)])
        named += bool(of.attribution(draw(of.generator, MONTHLY)).that_matter)
        for column in columns:
            rows, matters = planted(of, column)
            if not matters:
                continue
            found = of.attribution(rows)
            months += 1
            missed += found.parts[0].column != column
            furthest = max(furthest, *_gaps(found))
            rest.append(abs(found.parts[-1].log_odds) / abs(found.log_odds))
    holds = not_significantly_above(missed, months, 0.05) and furthest <= 1e-9
    evidence.record(
        "54-what-moved-the-score",
        claim=f"{months} months of {MONTHLY:,} applications in {markets} simulated markets, scored by a {FAMILIES[0]} "
        f"or by boosted trees ({FAMILIES[1]}): one column that matters to the model moved by {SHIFT} standard "
        f"deviations (a category: in {SHIFT:.0%} of the rows), and one that has no effect on default by {FURTHER:.0f}. "
        "Months in which the first is not the largest part of the shift of mean log-odds; how far the parts of "
        "log-odds, PD and approval rate are from adding up; the median of the part that is no column's; and quiet "
        "months in which a column is named",
        value=f"{missed} of {months}; {furthest:.0e}; {np.median(rest):.1%}; {named} of {markets}",
        bound="not significantly above 5% of the months, and 1e-9",
        holds=holds,
    )
    assert months >= markets
    assert holds, (missed, months, furthest)


def _gaps(found: Attribution) -> tuple[float, float, float]:
    assert found.approval_rate is not None
    return (
        abs(sum(one.log_odds for one in found.parts) - found.log_odds),
        abs(sum(one.pd for one in found.parts) - found.pd),
        abs(sum(one.approval_rate or 0.0 for one in found.parts) - found.approval_rate),
    )
