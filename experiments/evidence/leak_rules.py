"""Rules that find features with information from after the application; each gives its reason in words."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.evidence.single_feature import single_feature_auc
from pipelines.applications.applications import Applications
from pipelines.credit.loan import DAY

FEWEST_EXPECTED = 10
"""Rows of an outcome that chance would give a value before their absence is a finding."""

EXCEPTIONS = 0.02
"""Share of the expected rows that may still have the outcome."""

PERIODS = 10
FALL = 0.5
"""A count of later events has at most this share of its first period's mean in the last one."""

LATE_MISSING, EARLIER_MISSING, FEWEST_ROWS = 0.9, 0.5, 30
LATER_ROWS = 0.01

LATER_WORDS = (
    "paid|pay|pays|payback|paybacks|payment|payments|repaid|repay|repayment|repayments|collection|collections|recovery|"
    "recoveries|recovered|overdue|arrears|dpd|dunning|reminder|reminders|chargeback|chargebacks|chargeoff|writeoff|"
    "settled|settlement|outstanding|default|defaulted|closed|outcome|so far|to date|charge off|write off|past due"
)
"""Words in the names of columns about the life of a loan."""

CHECKS = ("AUC of each feature on its own", "values of one outcome only, present or missing")
TIME_CHECKS = (
    "counts that fall with recency",
    "features missing in the latest applications",
    "dates after the application, and names of later events beside them",
)
UNCHECKED = "combinations of features, values updated in place"


@dataclass(frozen=True)
class LeakFindings:
    """The reasons against each feature or column of dates, the AUC of the features above the limit, and the checks."""

    reasons: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    auc: dict[str, float] = field(default_factory=dict)
    checked: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)


def find_leaks(development: Applications, test: Applications, used: Sequence[str], limit: float) -> LeakFindings:
    """Return the reasons against each feature in use; codes are learnt in `development` and judged on `test`."""
    findings = LeakFindings(checked=[*CHECKS], unchecked=[UNCHECKED])
    for name, value in single_feature_auc(development, test, used).items():
        if value > limit:
            findings.auc[name] = value
            findings.reasons[name].append(f"AUC {value:.3f} on its own")
    features = pd.concat([development.features[list(used)], test.features[list(used)]], ignore_index=True)
    bad = np.concatenate([development.outcomes, test.outcomes])
    for name in used:
        findings.reasons[name] += _one_outcome_only(features[name], bad)
    if development.times is None or test.times is None:
        findings.unchecked.extend(TIME_CHECKS)
    else:
        findings.checked.extend(TIME_CHECKS)
        times = np.concatenate([development.times, test.times])
        later = {name: rows for name, rows in development.later_dates.items() if rows >= LATER_ROWS * len(times)}
        for name in used:
            findings.reasons[name] += _against_time(name, features[name], times, later)
        for name, rows in later.items():
            if name not in development.roles.ignored:
                findings.reasons[name].append(f"dates after the application in {rows:,} rows")
    for name in [name for name, reasons in findings.reasons.items() if not reasons]:
        del findings.reasons[name]
    return findings


def _one_outcome_only(values: "pd.Series[float]", bad: NDArray[np.int8]) -> Iterator[str]:
    """Yield for which outcome only a feature is missing, present, or has or lacks its most frequent value."""
    is_missing = values.isna().to_numpy()
    yield from _only(is_missing, bad, "missing")
    yield from _only(~is_missing & is_missing.any(), bad, "present")
    if is_missing.all() or values.nunique() < 2:
        return
    frequent = values.mode().iloc[0]
    is_frequent = (values == frequent).to_numpy()
    shown = f"{frequent:g}" if isinstance(frequent, float) else repr(str(frequent))
    yield from _only(is_frequent, bad, shown)
    yield from _only(~is_frequent & ~is_missing, bad, f"other than {shown}")


def _only(rows: NDArray[np.bool_], bad: NDArray[np.int8], what: str) -> Iterator[str]:
    bads, rate = int(bad[rows].sum()), float(bad.mean())
    for outcome, others, expected in (
        ("goods", bads, rows.sum() * rate),
        ("bads", int(rows.sum()) - bads, rows.sum() * (1 - rate)),
    ):
        if expected >= FEWEST_EXPECTED and others <= EXCEPTIONS * expected:
            yield f"{what} for {outcome} only"


def _against_time(
    name: str, values: "pd.Series[float]", times: NDArray[np.datetime64], later: Mapping[str, int]
) -> Iterator[str]:
    latest = times >= np.sort(times)[int(0.9 * len(times))]
    is_missing = values.isna().to_numpy()
    if latest.sum() >= FEWEST_ROWS and not latest.all():
        share = float(is_missing[latest].mean())
        if share >= LATE_MISSING and is_missing[~latest].mean() <= EARLIER_MISSING:
            yield f"missing in {share:.0%} of the latest applications"
    is_number = pd.api.types.is_numeric_dtype(values)
    if is_number and _falls_with_recency(values.to_numpy(np.float64), times):
        yield "a count that falls with recency, as counts of later events do"
    moments = _as_dates(values, is_number=is_number)
    if moments is not None:
        rows = int((moments > times + DAY).sum())
        if rows >= LATER_ROWS * len(times):
            yield f"dates after the application in {rows:,} rows"
    if later and re.search(rf"\b({LATER_WORDS})\b", _words(name)):
        yield f"named as a later event, and {', '.join(later)} has dates after the application"


def _falls_with_recency(values: NDArray[Any], times: NDArray[np.datetime64]) -> bool:
    from scipy.stats import spearmanr

    present = ~np.isnan(values)
    counts = values[present]
    if len(counts) < PERIODS * FEWEST_ROWS or (counts < 0).any() or (counts % 1).any() or len(np.unique(counts)) < 3:
        return False
    ranks = np.searchsorted(np.sort(times[present]), times[present])
    periods = ranks * PERIODS // len(counts)
    means = pd.Series(counts).groupby(periods).mean().to_numpy()
    if len(means) < PERIODS // 2 or means[-1] > FALL * means[0]:
        return False
    return bool(spearmanr(np.arange(len(means)), means).statistic <= -0.9)


def _as_dates(values: "pd.Series[float]", *, is_number: bool) -> NDArray[np.datetime64] | None:
    """Return values that are dates, written as text or as a number such as 20260131; None for other values."""
    present = values.dropna()
    if present.empty:
        return None
    if is_number:
        if (present % 1).any() or not present.between(19000101, 22001231).all():
            return None
        texts, form = values.map(lambda value: None if np.isnan(value) else f"{value:.0f}"), "%Y%m%d"
    else:
        texts, form = values, "ISO8601"
    moments = pd.to_datetime(texts, format=form, errors="coerce", utc=True).dt.tz_localize(None)
    if moments.notna().sum() < 0.95 * len(present):
        return None
    return moments.to_numpy("datetime64[us]")


def _words(name: str) -> str:
    return re.sub(r"[\W_]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).lower()
