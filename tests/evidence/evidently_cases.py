"""Tables on which a drift report is put to the test, as Evidently answers out of the box, and as Thinfile does."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from monitoring.faults.observed import Observed
from monitoring.faults.search import find_faults
from monitoring.thresholds.settings import ThresholdSettings
from monitoring.thresholds.thresholds import Cell, Level, judge
from pipelines.command.verb import stay_private
from pipelines.credit.population import Population
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.reference_profile import SCORE

SMALL = 100


@dataclass(frozen=True)
class Case:
    """Two tables, whether there is anything to report, and the measure that Evidently is told to take."""

    name: str
    changed: bool
    reference: pd.DataFrame
    current: pd.DataFrame
    method: str = "psi"


@dataclass(frozen=True)
class Answer:
    """What a report says: whether it flags anything, None where there is no report, and a few words with the figure."""

    flagged: bool | None
    told: str

    def is_right(self, case: Case) -> bool:
        """Whether it flags what changed and nothing else."""
        return self.flagged is not None and self.flagged == case.changed


def cases(rows: int) -> Iterator[Case]:
    """Yield the cases: simulated incomes, lognormal, and what happens to them; a category that is the same for all."""
    incomes = Incomes(rows)
    reference = pd.DataFrame({"income": incomes.draw(0.0)})
    for shift in (0.0, 0.5, 0.8):
        name = f"incomes shifted by {shift:g} sd" if shift else "incomes unchanged"
        current = pd.DataFrame({"income": incomes.draw(shift)})
        yield Case(name, shift > 0, reference, current)
        yield Case(f"{name}, and one value of 1e9", shift > 0, reference, incomes.with_outlier(current))
    yield Case("missing values from 0% to 95%", True, reference, incomes.with_missing(0.95))
    yield Case(
        "one column empty, incomes shifted by 0.8 sd",
        True,
        reference.assign(age=incomes.draw(0.0)),
        pd.DataFrame({"income": incomes.draw(0.8), "age": np.nan}),
    )
    same = pd.DataFrame({"country": np.array(["CN"] * min(rows, 1000), dtype=object)})
    yield Case("a category that is the same for all", False, same, same.copy())
    yield Case("the same, by the chi-square test", False, same, same.copy(), "chisquare")


def small_months(months: int) -> Iterator[Case]:
    """Yield months of 100 incomes that nothing happened to, against 100 others."""
    incomes = Incomes(SMALL)
    for _ in range(months):
        tables = [pd.DataFrame({"income": incomes.draw(0.0)}) for _ in range(2)]
        yield Case("incomes unchanged, 100 rows", False, tables[0], tables[1])


class Incomes:
    """Simulated incomes, in a currency's units."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.generator = np.random.default_rng(54)

    def draw(self, shift: float) -> np.ndarray:
        """Return lognormal incomes, their logarithms of standard deviation 1 and shifted by so many."""
        return np.exp(10 + shift + self.generator.standard_normal(self.rows))

    def with_outlier(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table with one value of 1e9."""
        return pd.concat([table[:-1], pd.DataFrame({"income": [1e9]})], ignore_index=True)

    def with_missing(self, part: float) -> pd.DataFrame:
        """Return unchanged incomes of which a part is missing."""
        return pd.DataFrame({"income": np.where(self.generator.random(self.rows) < part, np.nan, self.draw(0.0))})


def ask_evidently(case: Case, *, defaults: bool) -> Answer:
    """Return what Evidently's preset says, with its own choice of measures or with the one that is named."""
    stay_private()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        from evidently import DataDefinition, Dataset, Report
        from evidently.presets import DataDriftPreset

        numeric = _numeric(case.reference)
        roles = DataDefinition(
            numerical_columns=numeric, categorical_columns=[name for name in case.reference if name not in numeric]
        )
        preset = DataDriftPreset(**({} if defaults else {"method": case.method}))
        tables = [Dataset.from_pandas(table, roles) for table in (case.reference, case.current)]
        try:
            count, *columns = Report([preset]).run(reference_data=tables[0], current_data=tables[1]).dict()["metrics"]
        except ValueError as error:
            return Answer(None, f"no report: {type(error).__name__}")
    value = float(columns[0]["value"])
    flagged = None if np.isnan(value) else count["value"]["count"] > 0
    return Answer(flagged, f"{'drift' if flagged else 'no drift'} ({value:.3f})" if flagged is not None else "NaN")


def ask_thinfile(case: Case) -> Answer:
    """Return what the thresholds on frozen bins and the search for faults say."""
    reference, current = case.reference, case.current
    points = np.random.default_rng(0).integers(350, 950, len(reference))
    profile = profile_of(points, points / 1000, reference, _numeric(reference), Population.applications)
    columns = {SCORE: points[: len(current)].astype(float)} | {name: current[name].to_numpy() for name in current}
    counts = {one.column: one.count(columns[one.column]) for one in profile.bins}
    faults = find_faults(profile, Observed("2026-10", len(current), counts), current)
    known, now = {}, {}
    for one in profile.bins[1:]:
        known[Cell(one.column)] = one.comparable(np.array(profile.counts[one.column]))[1][None]
        now[Cell(one.column)] = one.comparable(counts[one.column])[1]
    judged = judge(known, now, ThresholdSettings())
    moved = [one for one in judged if one.level in (Level.WATCH, Level.ACT)]
    faulty = {fault.column for fault in faults}
    named = [f"{fault.kind}: {fault.column}" for fault in faults]
    named += [
        f"{one.level.value}: {one.cell.column} (PSI {one.psi:.3f})" for one in moved if one.cell.column not in faulty
    ]
    return Answer(bool(named), "; ".join(named) or f"quiet (PSI {judged[0].psi:.3f})")


def _numeric(table: pd.DataFrame) -> list[str]:
    return [str(name) for name in table if pd.api.types.is_numeric_dtype(table[name])]
