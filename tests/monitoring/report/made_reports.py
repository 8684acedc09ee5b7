"""Reports with every part filled: 41 columns by 8 segments, faults, conduct and performance, one of each verdict."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from monitoring.decision_mix.decision_mix import DecisionMix, GroupDecisions
from monitoring.faults.fault import Fault
from monitoring.faults.quarantine import QUARANTINE_RISEN
from monitoring.faults.unit_changed import UNIT_CHANGED
from monitoring.measures.effects import Effect
from monitoring.measures.move import Move, Role
from monitoring.measures.score_comparison import ScoreComparison, compare_scores
from monitoring.outcomes.earlier_loans import EarlierLoans
from monitoring.outcomes.performance import PerformanceReport, measure_performance
from monitoring.outcomes.stored_estimates import REWEIGHTED, StoredEstimates
from monitoring.outcomes.vintage import VintagePerformance
from monitoring.thresholds.settings import ThresholdSettings
from monitoring.thresholds.thresholds import EVERYONE, Cell, Level, judge
from monitoring.verdict.period_report import PeriodReport, Point, Verdict
from pipelines.credit.population import Population
from pipelines.credit.vintage import VintageTable
from pipelines.profiles.score_counts import ScoreCounts
from pipelines.score_log.key import LogKey
from tests.monitoring.outcomes.books import BANDS, book

HOSTILE = "</script><script>console.error('ran')</script>"
SEGMENTS = ("web", "app", "partner", "returning", "new", "north", "south", "islands")
REFERENCE_MONTHS, ROWS = 12, 12_000
VINTAGES = (*(f"2025-{month:02d}" for month in range(1, 13)), "2026-01", "2026-02", "2026-03")
CONDUCT = tuple(f"2025-{month:02d}" for month in range(4, 13)) + tuple(f"2026-{month:02d}" for month in range(1, 11))

CATEGORIES = {
    "purchase_category": ("missing", "electronics", "fashion", "home & garden", "groceries", HOSTILE, "other"),
    "_employment_": ("missing", "employed full time", "self-employed", "student", "retired", "unseen"),
}
ORDERED = ("missing", "up to 12", "12 to 25", "25 to 40", "40 to 60", "60 to 95", "95 to 150", "above 150")
POINTS = (*(f"{low} to {low + 20}" for low in range(460, 660, 20)), "above 660")
SHARES = {
    "band": (0.42, 0.33, 0.25),
    "decision": (0.64, 0.32, 0.04),
    "reason": (0.4, 0.3, 0.2, 0.1),
}
FEATURES = (
    "n_orders_90_days", "days_since_last_order", "share_of_orders_returned", "basket_amount_median_365_days",
    "months_since_first_order", "n_failed_payments_180_days", "share_at_night", "n_addresses", "requested_amount",
    "n_devices_30_days", "share_on_credit", "amount_spread",
)  # fmt: skip


@cache
def made_report(verdict: Verdict = Verdict.ACT) -> PeriodReport:
    """Return a report with that verdict."""
    if verdict is Verdict.INCOMPLETE:
        return _incomplete()
    moves = made_moves(verdict)
    key = LogKey("credit_score", 7, Population.applications, "2026-10")
    sentence, points = TOLD[verdict]
    return PeriodReport(
        title="credit_score version 7, applications of 2026-10",
        key=key,
        window="2026-10",
        reference="development sample, 2024-10 to 2025-09",
        rows=ROWS,
        verdict=verdict,
        sentence=sentence,
        points=points,
        moves=moves,
        faults=FAULTS if verdict is Verdict.ACT else (),
        effect=Effect(0.583, 0.641, 0.0712, 0.0614, 0.0388, 0.0371, 0.6),
        decision_mix=made_decision_mixes(CONDUCT),
        performance=made_performance(),
        score=made_score(verdict),
        cannot_see=("Changes of several columns together", "Changes in segments with too few rows: islands"),
        smallest_changes=(Point("score", "PSI 0.11, such as all scores 17 points higher"),),
        causes=("data fault", "concept change") if verdict is Verdict.ACT else (),
        notes=(
            "The segment islands has 40 decisions: too few to compare.",
            "days_since_last_order went missing; what else moved in it cannot be told.",
        ),
    )


def made_moves(verdict: Verdict) -> tuple[Move, ...]:
    """Return the moves of 41 columns in 9 segments, judged as the rules judge them."""
    generator = np.random.default_rng(7)
    columns = made_columns()
    loud = {Verdict.STABLE: {}, Verdict.INCONCLUSIVE: {}, Verdict.WATCH: {"share_at_night": 0.6}}.get(
        verdict, {"n_devices_30_days": 0.95, "share_at_night": 0.56, "points": 0.66, "purchase_category": 0.6}
    )
    known: dict[Cell, NDArray[np.int64]] = {}
    now: dict[Cell, NDArray[np.int64]] = {}
    for column, (_, labels) in columns.items():
        shares = generator.dirichlet(np.full(len(labels), 60.0)) * np.where(np.array(labels) == "missing", 0.1, 1)
        shares = np.array(SHARES[column]) if column in SHARES else shares / shares.sum()
        tilt = np.exp(loud.get(column, 0.0) * np.linspace(-1, 1, len(labels)))
        for segment in (EVERYONE, *SEGMENTS):
            rows = ROWS if segment == EVERYONE else 40 if segment == "islands" else ROWS // 7
            hit = segment in (EVERYONE, "app", "new") or (column == "points" and segment == "web")
            tilted = shares * (tilt if hit else 1)
            cell = Cell(column, segment)
            known[cell] = np.stack([generator.multinomial(rows, shares) for _ in range(REFERENCE_MONTHS)])
            now[cell] = generator.multinomial(rows, tilted / tilted.sum())
    earlier = [{Cell("n_devices_30_days"): Level.WATCH, Cell("points"): Level.WATCH}] * 2
    judged = judge(known, now, ThresholdSettings(persist=4), earlier=earlier)
    return tuple(
        Move(
            judgement=one,
            role=columns[one.cell.column][0],
            labels=columns[one.cell.column][1],
            reference=tuple(known[one.cell].sum(axis=0).tolist()),
            current=tuple(now[one.cell].tolist()),
            since="2026-08" if one.lasting > 1 else "2026-10" if one.lasting else None,
        )
        for one in judged
    )


def made_score(verdict: Verdict) -> ScoreComparison | None:
    """Return the score point by point, further up where it moved."""
    generator = np.random.default_rng(3)
    higher = 14 if verdict is Verdict.ACT else 0
    drawn = [generator.normal(580 + up, 48, rows).astype(np.int64) for up, rows in ((0, 140_000), (higher, ROWS))]
    return compare_scores(*(ScoreCounts.of(points, np.full(len(points), 0.07)) for points in drawn))


def made_columns() -> dict[str, tuple[Role, tuple[str, ...]]]:
    """Return the role and the bins of each of the 41 columns."""
    columns: dict[str, tuple[Role, tuple[str, ...]]] = {
        "points": ("score", POINTS),
        "band": ("band", BANDS),
        "decision": ("decision", ("approved", "declined", "referred")),
        "reason": ("reason", ("payment history", "short history", "requested amount", "other")),
    }
    columns |= {name: ("feature", labels) for name, labels in CATEGORIES.items()}
    columns |= dict.fromkeys(FEATURES, ("feature", ORDERED))
    return columns | {f"amount_of_month_{place}": ("feature", ORDERED) for place in range(1, 42 - len(columns))}


def made_decision_mixes(periods: tuple[str, ...]) -> tuple[DecisionMix, ...]:
    """Return what was decided in each period, women approved less often towards the end."""
    return tuple(_conduct(period, place) for place, period in enumerate(periods))


def _conduct(period: str, place: int) -> DecisionMix:
    generator = np.random.default_rng(place)
    approved = round(ROWS * (0.65 - 0.003 * place + 0.01 * generator.standard_normal()))
    referred = round(ROWS * 0.04)
    reasons = ("payment history", "short history", "requested amount", "orders returned", "devices used", "at night")
    shares = generator.dirichlet(np.array([40, 25, 15, 10, 4 + place, 3.0]))
    rates = {"female": 0.66 - 0.006 * place, "male": 0.645, "under 25": 0.52, "25 to 59": 0.66, "60 and over": 0.7}
    rows = {"female": 5_800, "male": 6_200, "under 25": 1_900, "25 to 59": 8_400, "60 and over": 1_700}
    best = {"sex": max(rates["female"], rates["male"]), "age band": 0.7}
    return DecisionMix(
        period=period,
        rows=ROWS,
        decisions={"approved": approved, "declined": ROWS - approved - referred, "referred": referred},
        reasons=dict(zip(reasons, (int(one) for one in shares * (ROWS - approved)), strict=True)),
        reviewed=60 + 3 * place,
        to_approved=12 + place,
        to_declined=3,
        groups=tuple(
            GroupDecisions(
                attribute=(attribute := "sex" if group in ("female", "male") else "age band"),
                group=group,
                rows=rows[group],
                approved=round(rows[group] * rate),
                ratio=rate / best[attribute],
                is_low=rate / best[attribute] < 0.8,
            )
            for group, rate in rates.items()
        ),
    )


@cache
def made_performance() -> PerformanceReport:
    """Return fifteen vintages: eight matured, four more known early, one of them contradicted, the newest unknown."""
    one, earlier = book(VINTAGES, 1_500, changed=[VINTAGES[10]]), book(["2024-12"], 4_000, seed=1)
    with TemporaryDirectory() as folder:
        found = measure_performance(
            one.decisions,
            early=one.outcomes("early", VINTAGES[:12], "30+ days past due at 3 months on book"),
            full=one.outcomes("full", VINTAGES[:8], "90+ days past due within 12 months"),
            stored=StoredEstimates(Path(folder)),
            bands=BANDS,
            earlier=EarlierLoans(earlier.full.to_numpy().astype(np.int8), earlier.decisions["pd"].to_numpy()),
            vintages=made_vintages(),
        )
    return replace(found, vintages=tuple(map(_weighted, found.vintages)))


def _weighted(one: VintagePerformance) -> VintagePerformance:
    """Give a vintage the reweighted variant too; the recalibrated one stands in for it, as weights take long to fit."""
    assert one.recalibrated is not None
    return replace(one, reweighted=replace(one.recalibrated, method=REWEIGHTED))


def made_vintages() -> VintageTable:
    """Return vintages by months on book, the older the further, the newest of them the worst."""
    month = np.arange("2025-01", "2026-04", dtype="datetime64[M]")
    ages = np.arange(18)
    whole = (len(month) - np.arange(len(month)) + 2)[:, None]
    observed = np.where(ages < whole, 900, np.where(ages == whole, 320, 0))
    worse = 1 + 0.06 * np.maximum(np.arange(len(month)) - 8, 0)[:, None]
    share = 0.075 * worse * (1 - np.exp(-ages / 6.0))
    return VintageTable(month, observed.astype(np.int64), np.round(observed * share).astype(np.int64))


def _incomplete() -> PeriodReport:
    return PeriodReport(
        title="credit_score version 7, applications of 2026-11",
        key=LogKey("credit_score", 7, Population.applications, "2026-11"),
        window="2026-11",
        reference="development sample, 2024-10 to 2025-09",
        rows=4_210,
        verdict=Verdict.INCOMPLETE,
        sentence="2026-11 is not over: 4,210 decisions up to 2026-11-12 are not compared.",
        points=(Point("Next", "Watch it again once the period is scored to its end."),),
        moves=(),
    )


def quiet(report: PeriodReport) -> PeriodReport:
    """Return the report without its parts that may be missing."""
    return replace(report, faults=(), effect=None, decision_mix=(), performance=None, notes=(), score=None, causes=())


TOLD = {
    Verdict.STABLE: (
        "12,000 applications of 2026-10 against the development sample: nothing moved beyond what matters and chance.",
        (Point("Next", "Nothing to do; the next report is due when 2026-11 is scored."),),
    ),
    Verdict.INCONCLUSIVE: (
        "0 of 1,473 ids of the outcomes in 'loans.parquet' are known to the score log.",
        (Point("Next", "Set outcomes.id to the column of application ids."),),
    ),
    Verdict.WATCH: (
        "1 of 41 columns moved, the score did not: look again when the next period is scored.",
        (
            Point("What moved", "share_at_night, just beyond its limit."),
            Point("For whom", "Most in the segments app and new."),
            Point("Since when", "2026-10, for the first time."),
            Point("How much it matters", "Approval rate 58.3% against 64.1%, mean PD 7.1% against 6.1%."),
            Point("Look at next", "The source of the hour of an order."),
        ),
    ),
    Verdict.ACT: (
        "The score and 3 features moved further than chance and season explain, and two data faults were found.",
        (
            Point(
                "What moved", "n_devices_30_days most, then the score (points), purchase_category and share_at_night."
            ),
            Point("For whom", "The segments app and new; the others are as they were."),
            Point("Since when", "2026-08, three periods in a row."),
            Point(
                "How much it matters",
                "Approval rate 58.3% against 64.1% in the reference; expected bad rate, approved, 3.9% against 3.7%.",
            ),
            Point("Look at next", "The two data faults first: they may be the cause of what moved. Retraining waits."),
        ),
    ),
}

FAULTS = (
    Fault(
        UNIT_CHANGED,
        "basket_amount_median_365_days",
        "The median went from 4,210 to 42.1: a factor of 100, in 94% of rows.",
        "Amounts arrive in the currency's major unit instead of minor ones.",
        "Restore minor units at the source and score the period again; do not retrain.",
    ),
    Fault(
        QUARANTINE_RISEN,
        None,
        "3.1% of rows were quarantined, 0.2% in the six periods before; rule: requested amount is positive.",
        "A client sends applications before the amount is known.",
        "Look at the quarantine table of 2026-10 and ask the owner of the application form.",
    ),
)
