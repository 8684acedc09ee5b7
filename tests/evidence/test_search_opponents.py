"""Thinfile's search reaches a better model than FLAML and AutoGluon in the same time, and than the glue in a tenth."""

from collections.abc import Sequence

import pytest

from tests.benchmarks.opponents.environments import FOLDER
from tests.benchmarks.opponents.measure import measure
from tests.benchmarks.opponents.measured import Measured
from tests.benchmarks.opponents.picture import draw
from tests.benchmarks.opponents.plan import COMPARED, GLUED, LONGER, PLAN, SHORTER, Series, a_tenth_of, runs_of
from tests.benchmarks.opponents.summary import Line, is_nowhere_below, lines_of, overall, sentence
from tests.benchmarks.opponents.systems import AUTOGLUON, DEFAULT_COST, FLAML, OURS, THINFILE, System
from tests.evidence.conftest import FOLDER as FIGURES
from tests.evidence.conftest import Evidence

AUTOML = (FLAML.name, AUTOGLUON.name)


def test_the_search_beside_its_opponents(evidence: Evidence) -> None:
    if not evidence.full:
        pytest.skip("it takes two hours of a quiet machine; make evidence measures it")
    missing = [one for one in (*(series.data.missing for series in PLAN), FLAML.missing) if one]
    if missing:
        pytest.skip(missing[0])
    measured = measure(FOLDER, [*runs_of([SHORTER, *PLAN]), GLUED])
    measured += measure(FOLDER, a_tenth_of(measured))
    draw(COMPARED, measured, FIGURES / "80-search.svg")
    record_claims(evidence, measured)


def record_claims(evidence: Evidence, measured: Sequence[Measured]) -> None:
    """Write the figures of all claims; fail where one does not hold."""
    holds = [
        *(_record_table(evidence, series, measured, THINFILE) for series in COMPARED),
        *(_record_table(evidence, series, measured, DEFAULT_COST) for series in COMPARED),
        _record_means(evidence, measured),
        _record_longer(evidence, measured),
        _record_glue(evidence, measured),
    ]
    assert all(holds)


def _record_table(evidence: Evidence, series: Series, measured: Sequence[Measured], ours: System) -> bool:
    lines = lines_of(series, measured, ours.name)
    holds = _is_complete(lines, series) and is_nowhere_below(lines)
    drawn = "random 70/30 splits" if series.data.is_resampled else "simulated markets"
    claim = f"{series.data.title}, {len(series.seeds)} {drawn}, {series.seconds} s for each search on two cores"
    claim += ", process start included: mean test AUC, and p of ours being below (corrected resampled t-test)"
    bound = "significantly below none (1%)"
    name, value = series.data.name, sentence(lines)
    if ours is THINFILE:
        evidence.record(f"80-search-{name}", claim=f"max_cost=null: {claim}", value=value, bound=bound, holds=holds)
    else:
        evidence.record(f"81-search-cost-{name}", claim=f"max_cost=20: {claim}", value=value, bound=bound, holds=holds)
    return holds


def _record_means(evidence: Evidence, measured: Sequence[Measured]) -> bool:
    means = overall([line for series in COMPARED for line in lines_of(series, measured, THINFILE.name)])
    holds = all(means[THINFILE.name] > means[name] for name in AUTOML)
    evidence.record(
        "82-search-means",
        claim=f"mean test AUC over {', '.join(series.data.title for series in COMPARED)} ({COMPARED[0].seconds} s, "
        "max_cost=null; figure: 80-search.svg)",
        value=", ".join(f"{name} {auc:.4f}" for name, auc in means.items()),
        bound="above FLAML and AutoGluon",
        holds=holds,
    )
    return holds


def _record_longer(evidence: Evidence, measured: Sequence[Measured]) -> bool:
    lines = lines_of(LONGER, measured, THINFILE.name)
    means = {line.system: line.auc for line in lines}
    holds = _is_complete(lines, LONGER) and all(means[THINFILE.name] > means[name] for name in AUTOML)
    evidence.record(
        "83-search-longer",
        claim=f"{LONGER.data.title}, {len(LONGER.seeds)} random 70/30 splits, {LONGER.seconds} s: mean test AUC",
        value=", ".join(f"{name} {auc:.4f}" for name, auc in means.items()),
        bound="above FLAML and AutoGluon",
        holds=holds,
    )
    return holds


def _record_glue(evidence: Evidence, measured: Sequence[Measured]) -> bool:
    results = {one.key: one for one in measured if one.auc is not None}
    glue, ours = results.get(GLUED.key), [results.get(run.key) for run in a_tenth_of(measured)]
    if glue is None or not ours or ours[0] is None:
        return False
    assert glue.auc is not None
    assert ours[0].auc is not None
    holds = ours[0].auc >= glue.auc and ours[0].wall <= glue.wall / 10
    evidence.record(
        "84-search-glue",
        claim=f"{GLUED.data.title}, split seed {GLUED.seed}: test AUC of 40 trials of Optuna and CatBoost glued by "
        "hand, and ours in a tenth of the time, whole processes",
        value=f"{ours[0].auc:.4f} after {ours[0].wall:.0f} s, the glue {glue.auc:.4f} after {glue.wall:.0f} s",
        bound="at least that of the glue in at most a tenth of its time",
        holds=holds,
    )
    return holds


def _is_complete(lines: Sequence[Line], series: Series) -> bool:
    """Return whether every search was measured on every split."""
    opponents = [system for system in series.systems if system.name not in OURS]
    return len(lines) == 1 + len(opponents) and all(line.seeds == tuple(series.seeds) for line in lines)


def test_claims_hold_for_a_better_search_and_not_for_a_worse_one() -> None:
    evidence = Evidence(full=False, commit="")
    record_claims(evidence, _invented(better=0.01))
    for worse in (-0.01, -0.0001):
        with pytest.raises(AssertionError):
            record_claims(evidence, _invented(better=worse))
    with pytest.raises(AssertionError):
        record_claims(evidence, _invented(better=0.01)[:-3])


def _invented(better: float) -> list[Measured]:
    """Return results of all searches in which ours are better than the others by so much."""
    runs = [*runs_of(PLAN), GLUED]
    return [
        Measured(*run.key, "c", 0.7 + 0.01 * run.seed + better * (run.system.name in OURS), 600 if run is GLUED else 55,
                 99, 0.0, 0.0, 3 / 7, f"part {run.seed}", "2026-11-30")
        for run in runs
    ]  # fmt: skip
