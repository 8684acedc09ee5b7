"""Five challengers on a simulated marketplace, whose true PDs are known, and what becomes of them."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments.experiment.settings import TuneSettings
from experiments.promotion.promote import promote
from experiments.promotion.settings import PromoteSettings
from experiments.search.tune import tune
from pipelines.applications.settings import DataSettings, Source
from pipelines.candidates.families.scorecard import ScorecardParameters, ScorecardSettings
from pipelines.command.verb import ExitCode
from pipelines.credit.discrimination import auc
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.store import ModelStore
from pipelines.policy.pack import Claim, GateSettings, PolicySettings
from pipelines.storage.workspace import Workspace
from tests.evidence.conftest import Evidence
from tests.evidence.small_marketplace import small_marketplace

POOR = ("term", "applied_at_night")
"""What a poor champion knows of an applicant."""

APPROVE_FROM = 580
"""At 580 points about one application in twelve goes bad: the cut-off swaps some here."""


@dataclass(frozen=True)
class Market:
    """A simulated marketplace: its prepared table, and the true PD of each application by its id."""

    data: DataSettings
    table: pd.DataFrame
    truth: "pd.Series[float]"


@pytest.fixture(scope="module")
def market(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Market:
    customers = 40_000 if request.config.getoption("--full") else 20_000
    folder = tmp_path_factory.mktemp("market")
    data = small_marketplace(folder, seed=11, customers=customers, months=36)
    truth = pd.read_parquet(folder / "lake" / "simulated" / "truth").set_index("application_id")
    return Market(data, pd.read_parquet(str(data.path)), truth["true_pd_dpd30_at_3_mob"])


@dataclass(frozen=True)
class Arena:
    """A workspace and a model of its own in it, whose challengers are tuned and judged."""

    workspace: Workspace
    model: str

    def tuned(self, data: DataSettings, **parameters: Any) -> dict[str, Any]:
        """Register a scorecard on the columns that the data names, and return what tune told."""
        candidate = ScorecardSettings(parameters=ScorecardParameters(**parameters))
        settings = TuneSettings(
            workspace=str(self.workspace.root),
            model=self.model,
            data=data,
            candidate=candidate,
            trials=1,
            threads=1,
        )
        return dict(tune(settings).result)

    def judged(self, **gates: Any) -> dict[str, Any]:
        """Let the challenger ask for promotion, and return what was decided."""
        policy = PolicySettings(approve_from=APPROVE_FROM, gates=GateSettings(leak_sample=100, **gates))
        outcome = promote(PromoteSettings(workspace=str(self.workspace.root), model=self.model, policy=policy))
        assert (outcome.exit_code is ExitCode.DONE) == (outcome.result["decision"] == "promoted")
        return dict(outcome.result)


@pytest.fixture(scope="module")
def arenas(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace.at(str(tmp_path_factory.mktemp("arenas")))


@pytest.fixture
def arena(arenas: Workspace, request: pytest.FixtureRequest) -> Arena:
    return Arena(arenas, request.node.name)


def columns(data: DataSettings, numeric: Sequence[str], categorical: Sequence[str] = ()) -> DataSettings:
    return replace(data, numeric=list(numeric), categorical=list(categorical), infer=False)


def flat(table: pd.DataFrame, path: Path, numeric: Sequence[str], amount: str | None = None) -> DataSettings:
    """Write a flat table and return its roles."""
    if not path.exists():
        table.to_parquet(path)
    named = {"id": "application_id", "time": "applied_at", "label": "bad", "outcome_known_at": "outcome_known_at"}
    return DataSettings(source=Source.table, path=str(path), numeric=list(numeric), amount=amount, infer=False, **named)  # type: ignore[arg-type]


def refused_by(decided: Mapping[str, Any]) -> list[str]:
    return [gate["gate"] for gate in decided["evidence"]["gates"] if gate["blocking"] and not gate["passed"]]


def expected_auc(arena: Arena, market: Market, version: int) -> float:
    """Return the AUC that a version would have on average over all outcomes that the true PDs allow."""
    store = ModelStore(arena.workspace)
    predictor = load_predictor(store, store.version(arena.model, version))
    score = predictor.log_odds(market.table)
    true = market.truth.loc[market.table["application_id"]].to_numpy()
    order = np.argsort(score, kind="stable")
    bad, good = true[order], 1 - true[order]
    pairs = (bad * (np.cumsum(good) - good)).sum()
    return float(pairs / (bad.sum() * good.sum() - (bad * good).sum()))


@pytest.mark.integration
def test_a_truly_better_challenger_passes(arena: Arena, market: Market, evidence: Evidence) -> None:
    known = [name for name in market.table.columns[10:] if name != "basket_category"]
    poor = arena.tuned(columns(market.data, POOR))
    assert arena.judged(minimum_auc=0.5)["decision"] == "promoted"
    better = arena.tuned(columns(market.data, known, ["basket_category"]))
    gain = expected_auc(arena, market, better["version"]) - expected_auc(arena, market, poor["version"])
    decided = arena.judged(minimum_auc=0.5)
    holds = gain > 0.02 and decided["decision"] == "promoted"
    evidence.record(
        "36-better-passes",
        claim="simulated marketplace: a challenger that is truly better (expected AUC under the true PDs) passes",
        value=f"{decided['decision']}, true gain {gain:+.3f}, measured {decided['evidence']['difference']['auc']:+.3f}",
        bound="promoted",
        holds=holds,
    )
    assert holds, refused_by(decided)


@pytest.mark.integration
def test_an_equal_challenger_is_not_proven_and_not_inferior(arena: Arena, market: Market, evidence: Evidence) -> None:
    known = columns(market.data, ["term", "principal", "orders_180d", "returned_share_180d", "discount_rate_180d"])
    arena.tuned(known)
    arena.judged(minimum_auc=0.5)
    arena.tuned(known, inverse_regularisation=0.29)
    strict = arena.judged(minimum_auc=0.5)
    refresh = arena.judged(minimum_auc=0.5, claim=Claim.not_inferior)
    holds = refused_by(strict) == ["superior to the champion"] and refresh["decision"] == "promoted"
    evidence.record(
        "37-equal-not-proven",
        claim="an equal challenger is refused as not proven, and accepted as not inferior where the policy asks that",
        value=f"{strict['decision']} by {', '.join(refused_by(strict))}; then {refresh['decision']}",
        bound="refused as not proven, then promoted",
        holds=holds,
    )
    assert holds, (refused_by(strict), refused_by(refresh))


@pytest.mark.integration
def test_a_challenger_overfitted_to_validation_is_refused(
    arena: Arena, market: Market, evidence: Evidence, tmp_path: Path
) -> None:
    generator = np.random.default_rng(5)
    table = market.table.copy()
    noise = pd.DataFrame(generator.normal(size=(len(table), 400)), columns=[f"noise_{n}" for n in range(400)])
    table = pd.concat([table, noise.set_index(table.index)], axis=1)
    is_seen = table["applied_at"] < table["applied_at"].quantile(0.6)
    bad = table.loc[is_seen, "bad"].to_numpy(np.int8)
    luck = {name: abs(auc(bad, table.loc[is_seen, name].to_numpy()) - 0.5) for name in noise}
    lucky = sorted(luck, key=lambda name: -luck[name])[:40]
    honest = ["term", "principal", "returned_share_180d"]
    eager = {"max_bins": 2, "min_gain": 0.0, "min_information_value": 0.0, "min_bin_share": 0.2}
    champion = arena.tuned(flat(table, tmp_path / "validation.parquet", honest), **eager)
    arena.judged(minimum_auc=0.5)
    challenger = arena.tuned(flat(table, tmp_path / "validation.parquet", [*honest, *lucky]), **eager)
    decided = arena.judged(minimum_auc=0.5)
    search = challenger["cv_auc"] - champion["cv_auc"]
    holds = search > 0.02 and "superior to the champion" in refused_by(decided)
    evidence.record(
        "38-overfitted-refused",
        claim="a challenger overfitted to validation (40 of 400 columns of noise, chosen for their luck there) is "
        "refused",
        value=f"search AUC {search:+.3f}, test AUC {decided['evidence']['difference']['auc']:+.3f}: "
        f"{decided['decision']}",
        bound="refused",
        holds=holds,
    )
    assert holds, (search, refused_by(decided))


@pytest.mark.integration
def test_a_leaked_feature_is_caught(arena: Arena, market: Market, evidence: Evidence, tmp_path: Path) -> None:
    arena.tuned(columns(market.data, POOR))
    arena.judged(minimum_auc=0.5)
    leaked = tmp_path / "lake" / "marketplace"
    _copy_with_leak(market, leaked)
    arena.tuned(columns(replace(market.data, path=str(leaked / "training")), [*POOR, "orders_180d"]))
    decided = arena.judged(minimum_auc=0.5)
    told = next(gate["sentence"] for gate in decided["evidence"]["gates"] if gate["gate"] == "no leak")
    holds = "no leak" in refused_by(decided) and "orders_180d" in told
    evidence.record(
        "39-leak-caught",
        claim="a challenger whose feature saw what happened after the application is refused, the feature named",
        value=told,
        bound="refused",
        holds=holds,
    )
    assert holds, decided


def _copy_with_leak(market: Market, into: Path) -> None:
    """Copy a prepared marketplace; a good loan's orders of the last 180 days count those that it will make."""
    shutil.copytree(Path(str(market.data.path)).parent, into, symlinks=True)
    for file in (into / "training").glob("*.parquet"):
        table = pd.read_parquet(file)
        table["orders_180d"] += np.where(table["bad"] == 0, 3.0, 0.0)
        table.to_parquet(file)


@pytest.mark.integration
def test_more_auc_and_less_profit_is_refused_with_its_swap_set(
    arena: Arena, market: Market, evidence: Evidence, tmp_path: Path
) -> None:
    # One score knows the few large loans well, the other the many small ones: AUC counts heads, profit counts money.
    generator = np.random.default_rng(7)
    table = market.table.copy()
    true = market.truth.loc[table["application_id"]].to_numpy()
    log_odds = np.log(true / (1 - true))
    is_large = (table["principal"] > table["principal"].quantile(0.75)).to_numpy()
    blur = generator.normal(size=(2, len(table))) * np.std(log_odds)
    table["sees_large"] = log_odds + blur[0] * np.where(is_large, 0.1, 2.0)
    table["sees_small"] = log_odds + blur[1] * np.where(is_large, 3.0, 0.1)
    path = tmp_path / "swap.parquet"
    arena.tuned(flat(table, path, ["sees_large", "principal"], amount="principal"))
    arena.judged(minimum_auc=0.5)
    arena.tuned(flat(table, path, ["sees_small", "principal"], amount="principal"))
    decided = arena.judged(minimum_auc=0.5)
    change, difference = decided["evidence"]["swap_set"]["observed_change"], decided["evidence"]["difference"]
    sides = {side: decided["evidence"]["swap_set"][side]["observed"] for side in ("newly_approved", "newly_declined")}
    holds = refused_by(decided) == ["profit at the cut-off"] and difference["auc"] > 0 > change["value"]
    evidence.record(
        "40-profit-refused",
        claim="a challenger that gains AUC and loses profit at the cut-off is refused with the swap set that shows it",
        value=f"AUC {difference['auc']:+.3f}, profit {change['value']:+.4f} per unit asked for ("
        + ", ".join(f"{side.replace('_', ' ')} {one['rows']:,}, {one['bad']:,} bad" for side, one in sides.items())
        + ")",
        bound="refused by the profit gate alone",
        holds=holds,
    )
    assert holds, (refused_by(decided), difference, change, sides)
