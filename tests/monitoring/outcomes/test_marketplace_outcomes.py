"""Outcomes of a prepared marketplace, by more definitions than its training table has, against SQL of their own."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from monitoring.outcomes.marketplace_outcomes import MarketplaceOutcomes, outcomes_of_marketplace
from pipelines.credit.loan import BAD, DEFINITIONS, UNLABELLED, LoanContract
from pipelines.errors import DataError
from tests.experiments.marketplaces import AS_OF, LAKE, prepared
from tests.pipelines.simulation.lakes import Lake, labelled

NAMES = ("dpd30_at_3_mob", "dpd90_in_12_months")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("market"), 1_500)


@pytest.fixture(scope="module")
def found(workspace: Path) -> MarketplaceOutcomes:
    return outcomes_of_marketplace(workspace / LAKE, {name: LoanContract(DEFINITIONS[name], AS_OF) for name in NAMES})


@pytest.mark.parametrize("name", NAMES)
def test_labels_are_those_of_sql_over_the_raw_tables(workspace: Path, found: MarketplaceOutcomes, name: str) -> None:
    theirs = labelled(Lake(workspace / "lake" / "simulated"), name, AS_OF).set_index("application_id")["bad"]
    ours = found.outcomes[name]
    known = ours.bad != UNLABELLED
    mine = pd.Series(ours.bad[known] == BAD, index=ours.ids.to_numpy(zero_copy_only=False)[known])
    theirs.index = theirs.index.astype(str)
    assert len(mine) > 500
    assert mine.sort_index().to_dict() == theirs.sort_index().to_dict()


def test_vintages_are_those_that_prepare_made(workspace: Path, found: MarketplaceOutcomes) -> None:
    told = pd.read_parquet(workspace / LAKE / "vintages.parquet")
    ours = found.vintages["dpd30_at_3_mob"]
    month, age = np.nonzero(ours.observed)
    assert told["mob"].tolist() == age.tolist()
    assert pd.to_datetime(told["month"]).to_numpy("datetime64[M]").tolist() == ours.month[month].tolist()
    for name in ("observed", "bad"):
        assert told[name].tolist() == getattr(ours, name)[month, age].tolist()


def test_no_prepared_tables_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="run `thinfile prepare`"):
        outcomes_of_marketplace(tmp_path, {"full": LoanContract(DEFINITIONS[NAMES[1]], AS_OF)})
