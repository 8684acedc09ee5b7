"""Applications of a simulated market with one model's PDs and all that their repayment depends on, stored once."""

import shutil
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.outcomes.earlier_loans import EarlierLoans, earlier_loans
from monitoring.outcomes.early_reads import EARLY_READS
from monitoring.outcomes.marketplace_outcomes import outcomes_of_marketplace
from pipelines.credit.loan import DEFINITIONS, UNLABELLED, LoanContract
from pipelines.ledger.champion import proven_champion
from pipelines.model_store.store import ModelStore
from pipelines.score_log.score_log import ScoreLog
from pipelines.simulation.hazards import hazards, true_pd
from pipelines.simulation.parts import Plan
from pipelines.simulation.requests import Requests
from pipelines.simulation.settings import SimulateSettings
from pipelines.simulation.shoppers import Shoppers
from pipelines.simulation.story import Story, draw_story
from pipelines.simulation.tables import IDS_PER_PART
from pipelines.simulation.world import World, build_world
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.workspace import Workspace
from tests.evidence.watched_markets import BEGINS, ENDS, KEY, MONTHS, ORDERS, Size, watched_after, watched_before

Floats = NDArray[np.float64]

FULL = "dpd90_in_12_months"
READ = {**EARLY_READS, FULL: DEFINITIONS[FULL]}
"""The definitions that reports of a marketplace read by default."""

AFTER = 12
"""Months that are scored from the change on; a year before it is scored too."""

LATENTS = ("shock_at", "prudence", "applies_at")
TERMS_OF_LOAN = ("principal", "term", "income")


@dataclass(frozen=True)
class Market:
    """Applications with their PDs and all that their repayment depends on.

    `applications` has a row per decision of the score log, and per earlier loan with an outcome: period, pd, whether it
    was approved and is of the score log, whether the earlier policy approved it (`is_approved_before`, at random with
    `is_random_approval`), and `known_<definition>` where its outcome is known at the end.
    """

    world: World
    applications: pd.DataFrame

    @cached_property
    def loans(self) -> "Market":
        """The market without applications that never have an outcome in the marketplace."""
        rows = self.applications
        known = rows[[f"known_{name}" for name in READ]].any(axis=1)
        return Market(self.world, rows[known & rows["approved"]].reset_index(drop=True))

    @cached_property
    def rows_by_period(self) -> dict[str, NDArray[np.intp]]:
        """The rows of each period, in the order of the periods."""
        periods = self.applications["period"].to_numpy(str)
        return {str(period): np.flatnonzero(periods == period) for period in np.unique(periods)}

    def true_pds(self, economy: Floats, slope: Floats | None = None) -> dict[str, Floats]:
        """Return the probability of bad of each application by definition, shape (n,), in another economy by month."""
        world = replace(self.world, economy=economy, slope=np.ones(len(economy)) if slope is None else slope)
        rows = self.applications
        zeros = np.zeros(len(rows), np.int64)
        latents: dict[str, Any] = {
            one.name: rows[one.name].to_numpy() if one.name in LATENTS else zeros for one in fields(Shoppers)
        }
        terms: dict[str, Any] = {name: rows[name].to_numpy() for name in TERMS_OF_LOAN}
        requests = Requests(order=zeros, owner=np.arange(len(rows)), applied_at=zeros, **terms)
        starts_at = rows["starts_at"].to_numpy()
        chances = hazards(world, Shoppers(**latents), requests, starts_at)
        return {name: true_pd(chances, starts_at, bad) for name, bad in READ.items()}


def stored_market(folder: Path, size: Size) -> Market:
    """Return a market, made once and stored as a Parquet file in a folder."""
    settings = SimulateSettings(
        seed=size.seed, customers=size.customers, start=BEGINS, months=MONTHS, orders_per_customer=ORDERS
    )
    path = folder / f"seed-{size.seed}-customers-{size.customers}.parquet"
    if not path.exists():
        with whole_file(path) as temporary:
            _made(path.with_suffix(""), size, settings).to_parquet(temporary)
    return Market(build_world(settings), pd.read_parquet(path))


def _made(folder: Path, size: Size, settings: SimulateSettings) -> pd.DataFrame:
    shutil.rmtree(folder, ignore_errors=True)
    before = watched_before(folder / "before", size)
    watched = watched_after(before, folder / "after", size, AFTER)
    scored = _scored(watched.workspace)
    store = ModelStore(before.workspace)
    champion = proven_champion(store, KEY.model)
    earlier = earlier_loans(before.workspace, store, champion, "marketplace", ENDS)
    assert earlier is not None
    contracts = {name: LoanContract(bad, ENDS) for name, bad in READ.items()}
    outcomes = outcomes_of_marketplace(before.workspace.lake / "marketplace", contracts).outcomes
    rows = pd.concat([_earlier(earlier, scored["period"].min()), scored], ignore_index=True)
    rows = rows.merge(_latents(settings), on="application_id", how="left", validate="1:1")
    ids = pa.array(rows["application_id"].astype(str))
    known = {f"known_{name}": one.of(ids) != UNLABELLED for name, one in outcomes.items()}
    shutil.rmtree(folder)
    return rows.drop(columns="application_id").assign(**known)


def _scored(workspace: Workspace) -> pd.DataFrame:
    log = ScoreLog(workspace)
    parts = [log.decisions(replace(KEY, period=period)) for period in log.periods(KEY)]
    rows = pd.concat(parts, ignore_index=True)
    approved = rows["decision"].eq("approved")
    kept = rows[["application_id", "period", "pd"]].assign(approved=approved, is_scored=True)
    return kept.assign(application_id=kept["application_id"].astype(np.int64))


def _earlier(earlier: EarlierLoans, begin: str) -> pd.DataFrame:
    assert earlier.ids is not None
    rows = pd.DataFrame(
        {
            "application_id": earlier.ids.astype(np.int64),
            "period": earlier.period,
            "pd": earlier.probability,
            "approved": True,
            "is_scored": False,
        }
    )
    return rows[rows["period"] < begin]


def _latents(settings: SimulateSettings) -> pd.DataFrame:
    """Return what the repayment of each application depends on, by its id; drawn again as they were simulated."""
    world, plan = build_world(settings), Plan(settings.customers, settings.customers_per_part)
    parts = []
    for part in range(plan.parts):
        first = plan.customers + 1
        story = draw_story(world, part, part * plan.per_part + 1, plan.size(part), (first, first))
        parts.append(_of_story(story, part))
    return pd.concat(parts, ignore_index=True)


def _of_story(story: Story, part: int) -> pd.DataFrame:
    owner = story.requests.owner
    columns = {name: getattr(story.shoppers, name)[owner] for name in LATENTS}
    columns |= {name: getattr(story.requests, name) for name in TERMS_OF_LOAN}
    columns["starts_at"] = story.loans.starts_at
    columns["is_random_approval"] = story.decisions.is_random_approval
    columns["is_approved_before"] = story.decisions.is_approved
    return pd.DataFrame({"application_id": part * IDS_PER_PART + 1 + np.arange(len(owner)), **columns})
