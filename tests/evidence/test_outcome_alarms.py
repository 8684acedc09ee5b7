"""Simulated: alarms from outcomes hold on any market; economies and outcomes are drawn again on scored applications."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from monitoring.verdict.causes import CONCEPT_CHANGE, FRAUD, LEVEL_SHIFT
from tests.evidence.conftest import FOLDER, Evidence
from tests.evidence.economies.redraw import QUIET, REPORTS, Scenario
from tests.evidence.economies.results import Markets, named_by, results
from tests.evidence.test_scenarios import FEATURES
from tests.evidence.watched_markets import Size

pytestmark = pytest.mark.integration  # simulates markets and fits a model in each

SEEDS, CUSTOMERS = range(201, 209), 350_000
"""Eight markets of about 10,000 applications a month; a quarter of these is the small volume."""

VOLUMES = {2_500: 4, 10_000: 1}
QUIET_ECONOMIES, ECONOMIES = 400, 100
SHOCKS = (0.2, 0.4, 0.6, 0.8, 1.0)
MONTHS = 6

Check = Callable[[int, int, float], bool]


@pytest.fixture(scope="module")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what is made: at full size the cache of pytest, so that a run that was stopped goes on."""
    is_full = bool(request.config.getoption("--full"))
    cache = getattr(request.config, "cache", None) if is_full else None
    return Path(cache.mkdir("economies")) if cache is not None else tmp_path_factory.mktemp("economies")


@pytest.fixture
def markets(evidence: Evidence, folder: Path) -> Callable[[int], Markets]:
    """The markets of a volume."""

    def of(volume: int) -> Markets:
        seeds = SEEDS if evidence.full else SEEDS[:1]
        sizes = tuple(Size(evidence.size(full=CUSTOMERS, reduced=12_000), FEATURES, seed) for seed in seeds)
        return Markets(folder, sizes, VOLUMES[volume] if evidence.full else 1)

    return of


def shock(size: float, months: int = 1) -> Scenario:
    """Return a shock of the economy, at once or over some months."""
    return Scenario(f"shock-{size:g}-over-{months}", shock=size, months=months)


@pytest.mark.parametrize("volume", VOLUMES)
def test_quiet_economies_raise_few_alarms(
    volume: int, evidence: Evidence, markets: Callable[[int], Markets], not_significantly_above: Check
) -> None:
    found = results(markets(volume), QUIET, evidence.size(full=QUIET_ECONOMIES, reduced=3))
    alarms = sum(any(one["causes"]) for one in found)
    holds = not_significantly_above(alarms, len(found), 0.05)
    frauds = sum(any(FRAUD in causes for causes in one["causes"]) for one in found)
    evidence.record(
        f"93-quiet-economies-{volume}",
        claim=f"simulated: {len(found)} economies in which nothing happens, 8 markets, about {volume:,} applications a "
        f"month: economies with an alarm from outcomes in {REPORTS} monthly reports, all causes together",
        value=f"{alarms / len(found):.1%} ({alarms} of {len(found)}), fraud {frauds}",
        bound="not significantly above 5%",
        holds=holds,
    )
    assert holds


@pytest.mark.parametrize("volume", VOLUMES)
def test_one_month_has_no_too_small_p_values(
    volume: int, evidence: Evidence, markets: Callable[[int], Markets], not_significantly_above: Check
) -> None:
    found = results(markets(volume), QUIET, evidence.size(full=QUIET_ECONOMIES, reduced=3))
    tests = sorted({name for one in found for name in one["p_values"]})
    texts, holds = [], True
    for name in tests:
        values = np.array([one["p_values"][name] for one in found if name in one["p_values"]])
        below = [int((values < limit).sum()) for limit in (0.05, 0.01)]
        holds &= all(not_significantly_above(*one) for one in zip(below, (len(values),) * 2, (0.05, 0.01), strict=True))
        evidences = np.mean([one["e_values"][name] for one in found if name in one["e_values"]])
        shares = " and ".join(f"{count / len(values):.1%}" for count in below)
        texts.append(f"{name} {shares} (mean e-value {evidences:.2f})")
    evidence.record(
        f"93-one-month-{volume}",
        claim=f"simulated: p-values of one vintage per quiet economy below .05 and below .01, about {volume:,} "
        "applications a month",
        value="; ".join(texts),
        bound="not significantly above 5% and 1%, each test",
        holds=holds,
    )
    assert {"first_payment level", "fraud level"} <= set(tests)
    assert holds or not evidence.full


def test_a_shock_is_named_in_time(
    evidence: Evidence, markets: Callable[[int], Markets], not_significantly_above: Check
) -> None:
    economies = evidence.size(full=ECONOMIES, reduced=2)
    sizes = SHOCKS if evidence.full else (0.8,)
    found = {volume: {size: results(markets(volume), shock(size), economies) for size in sizes} for volume in VOLUMES}
    power = {
        volume: [named_by(of_size[size], LEVEL_SHIFT, MONTHS) / len(of_size[size]) for size in sizes]
        for volume, of_size in found.items()
    }
    large = found[10_000][0.8]
    missed = len(large) - named_by(large, LEVEL_SHIFT, MONTHS)
    frauds = sum(named_by(of_size[size], FRAUD, 12) for of_size in found.values() for size in sizes)
    holds = not_significantly_above(missed, len(large), 0.2)
    if evidence.full:
        _draw(power, FOLDER / "93-outcome-power.svg")
    evidence.record(
        "93-economic-shock",
        claim=f"simulated: an economic shock of .8 (log-odds) is named by month {MONTHS} at about 10,000 applications "
        f"a month, in {len(large)} redrawn economies of 8 markets (figure: 93-outcome-power.svg)",
        value="; ".join(
            f"{volume:,} a month: "
            + ", ".join(f"{size:g} in {one:.0%}" for size, one in zip(sizes, shares, strict=True))
            for volume, shares in power.items()
        )
        + f"; called fraud in {frauds} of {sum(len(one) for some in found.values() for one in some.values())}",
        bound="not significantly below 80%",
        holds=holds,
    )
    assert holds or not evidence.full


def test_a_concept_change_is_named_in_time(
    evidence: Evidence, markets: Callable[[int], Markets], not_significantly_above: Check
) -> None:
    economies, texts, holds = evidence.size(full=ECONOMIES, reduced=2), [], True
    for volume in VOLUMES:
        for share in (0.0, 0.5):
            found = results(markets(volume), Scenario(f"concept-{share:g}", slope=share), economies)
            named, wrong = named_by(found, CONCEPT_CHANGE, 5), named_by(found, FRAUD, 12)
            texts.append(f"{1 - share:.0%} of it at {volume:,} a month {named / len(found):.0%} (fraud {wrong})")
            if (volume, share) == (10_000, 0.0):
                holds = not_significantly_above(len(found) - named, len(found), 0.05)
    evidence.record(
        "93-concept-change",
        claim=f"simulated: a concept change is named by month 5 at about 10,000 applications a month, in {economies} "
        "redrawn economies of 8 markets",
        value="; ".join(texts),
        bound="not significantly below 95%",
        holds=holds,
    )
    assert holds or not evidence.full


def test_the_figure_of_the_power_is_drawn(tmp_path: Path) -> None:
    _draw({2_500: [0.1, 0.3, 0.5, 0.7, 0.9], 10_000: [0.2, 0.4, 0.6, 0.8, 1.0]}, tmp_path / "power.svg")
    assert "applications a month" in (tmp_path / "power.svg").read_text()


def _listed(sizes: Sequence[float], shares: Sequence[float]) -> str:
    return ", ".join(f"{size:g} in {share:.0%}" for size, share in zip(sizes, shares, strict=True))


def _draw(power: dict[int, list[float]], path: Path) -> None:
    """Draw the share of economies in which a shock is named in time, by its size and the volume."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    for volume, shares in power.items():
        axes.plot(SHOCKS, shares, marker="o", label=f"{volume:,}")
    axes.set(xlabel="shock (log-odds of not paying)", ylabel=f"named within {MONTHS} months", ylim=(-0.03, 1.03))
    axes.grid(alpha=0.3)
    axes.legend(title="applications a month", frameon=False)
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "70"}):
        figure.savefig(path, metadata={"Date": None})
