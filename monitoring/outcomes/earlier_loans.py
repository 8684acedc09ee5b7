"""Earlier loans weighted to resemble present applications, for a calibration that fits these."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines.applications.contract import as_text
from pipelines.credit.importance import Recalibration, recalibrate
from pipelines.errors import ThinfileError
from pipelines.marketplace.tables import DECLINED
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import POLICY, TEST_FROM
from pipelines.policy.model_settings import ModelSettings
from pipelines.policy.stored_policies import kept_policy
from pipelines.storage.workspace import Workspace

Floats = NDArray[np.float64]

MOST_ROWS = 20_000
FOLDS = 3
MOST_WEIGHT = 0.995
"""Weights beyond this quantile are cut to it, so that a few rows do not dominate."""

LEAST_COVERED = 0.5
"""Smallest share of present applications that earlier loans cover; below it there is no reweighting."""

LEAST_EFFECTIVE = 200.0
"""Smallest effective number of outcomes; below it earlier loans overlap too little with present applications."""


@dataclass(frozen=True)
class EarlierLoans:
    """Loans with outcomes that the model was not fitted on: `bad`, `probability` and, for weights, features.

    With `ids` and `period` (YYYY-MM of the application) they are vintages before those of the score log. `weight` is
    how many applications a loan stands for, where the earlier policy approved some at random that it would have
    declined: weighted, the loans resemble all who applied.
    """

    bad: NDArray[np.int8]
    probability: Floats
    features: pd.DataFrame | None = None
    ids: NDArray[np.str_] | None = None
    period: NDArray[np.str_] | None = None
    weight: Floats | None = None

    def recalibration(self, *, weighted: bool = True) -> Recalibration | None:
        """Return the recalibration of the model's PDs on these loans, None without variation of outcomes or PDs."""
        weight = self.weight if weighted else None
        return recalibrate(self.bad, self.probability, weight) if self._varies() else None

    def _varies(self) -> bool:
        return bool(self.bad.min() < self.bad.max() and self.probability.min() < self.probability.max())

    def recalibration_for(self, present: pd.DataFrame, *, seed: int = 0) -> Recalibration | None:
        """Return the recalibration of the model's PDs for present applications, None without features or overlap.

        As any reweighting it assumes that P(bad | features) has not changed, and that all relevant features are given.
        """
        if self.features is None:
            return None
        generator = np.random.default_rng(seed)
        rows = _some(len(self.bad), generator)
        weight = density_ratio(self.features.iloc[rows], present.iloc[_some(len(present), generator)], seed=seed)
        chosen = EarlierLoans(self.bad[rows], self.probability[rows])
        effective = float(weight.sum() ** 2 / (weight @ weight))
        overlaps = weight.mean() >= LEAST_COVERED and effective >= LEAST_EFFECTIVE
        return recalibrate(chosen.bad, chosen.probability, weight) if overlaps and chosen._varies() else None


def density_ratio(earlier: pd.DataFrame, present: pd.DataFrame, *, seed: int = 0) -> Floats:
    """Return how much likelier the features of each earlier row are among the present rows, shape (n,).

    The ratio is the out-of-fold odds of a classifier of present and earlier rows (Bickel, Brueckner and Scheffer 2009).
    Its mean is about the share of present rows that earlier rows cover.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold
    from threadpoolctl import threadpool_limits

    both = _matrix(pd.concat([earlier, present], ignore_index=True))
    is_present = np.repeat([0, 1], [len(earlier), len(present)])
    chance = np.empty(len(both))
    for fit, held_out in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(both, is_present):
        model = HistGradientBoostingClassifier(
            max_iter=40, max_leaf_nodes=8, learning_rate=0.1, min_samples_leaf=50, random_state=seed
        )
        with threadpool_limits(limits=1, user_api="openmp"):  # threads cost more than they save on so few rows
            model.fit(both[fit], is_present[fit])
            chance[held_out] = model.predict_proba(both[held_out])[:, 1]
    ratio = (chance / (1 - chance))[: len(earlier)] * (len(earlier) / len(present))
    return np.asarray(np.minimum(ratio, np.quantile(ratio, MOST_WEIGHT)))


def _some(rows: int, generator: np.random.Generator) -> NDArray[np.intp]:
    return np.arange(rows) if rows <= MOST_ROWS else np.sort(generator.choice(rows, MOST_ROWS, replace=False))


def _matrix(features: pd.DataFrame) -> Floats:
    columns = []
    for name in features:
        values = features[name]
        if pd.api.types.is_numeric_dtype(values):
            columns.append(values.to_numpy(np.float64, na_value=np.nan))
        else:
            codes = pd.factorize(values, sort=True)[0].astype(np.float64)
            columns.append(np.where(codes < 0, np.nan, codes))
    return np.column_stack(columns)


OUTCOME = ("application_id", "applied_at", "bad", "outcome_known_at")
MOST_LOANS = 100_000
BY_LOT = "is_random_approval"
FEWEST_BAD = 10
"""With fewer bad loans among those that were approved at random these say too little about whom the policy declined."""

FEWEST = 200
"""Fewer loans are not enough for a calibration."""


def _trusted(workspace: Workspace, model: RegisteredModel) -> ModelSettings:
    """Return which models the policy trusts that a version was promoted under."""
    try:
        return kept_policy(workspace, model.tags.get(POLICY, "none")).models
    except ThinfileError:  # the workspace has no such policy
        return ModelSettings()


def earlier_loans(
    workspace: Workspace,
    store: ModelStore,
    model: RegisteredModel,
    marketplace: str | None,
    known_at: str,
) -> EarlierLoans | None:
    """Return the loans of a prepared marketplace from the start of the model's test period, as known at a date.

    Of many loans it is a sample. None where the model has no test period or the training table not all columns.
    """
    test_from = model.tags.get(TEST_FROM)
    lake = workspace.lake / marketplace if marketplace else None
    table = lake / "training" if lake is not None else None
    if test_from is None or lake is None or table is None or not table.exists():
        return None
    predictor = load_predictor(store, model, _trusted(workspace, model))
    names = [*predictor.numeric, *predictor.categorical]
    columns = set(pq.ParquetDataset(table).schema.names)
    if not {*OUTCOME, *names} <= columns:
        return None
    by_lot = [BY_LOT] if BY_LOT in columns else []
    rows = pq.read_table(
        table,
        columns=[*OUTCOME, *by_lot, *names],
        filters=[("applied_at", ">=", pd.Timestamp(test_from)), ("outcome_known_at", "<", pd.Timestamp(known_at))],
    ).to_pandas()
    rows = rows[rows["bad"].notna()]
    if len(rows) < FEWEST:
        return None
    rows = rows.sample(MOST_LOANS, random_state=0) if len(rows) > MOST_LOANS else rows
    features = rows[names].assign(**{name: as_text(rows[name]) for name in predictor.categorical})
    bad = rows["bad"].to_numpy().astype(np.int8)
    ids = rows["application_id"].astype(str).to_numpy(dtype=str)
    period = rows["applied_at"].to_numpy().astype("datetime64[M]").astype(str)
    weight = _weight(lake / "applications", rows, bad) if by_lot else None
    return EarlierLoans(bad, predictor.probability_of_bad(features), features, ids, period, weight)


def _weight(applications: Path, rows: pd.DataFrame, bad: NDArray[np.int8]) -> Floats | None:
    """Return how many applications each loan stands for, None with too few random approvals to say so."""
    is_random = rows[BY_LOT].fillna(False).to_numpy(bool)
    if bad[is_random].sum() < FEWEST_BAD or not applications.exists():
        return None
    decided = pq.read_table(applications, columns=["decision", BY_LOT])
    declined = int(pc.sum(pc.equal(decided["decision"].cast(pa.string()), DECLINED)).as_py() or 0)
    chosen = int(pc.sum(decided[BY_LOT]).as_py() or 0)
    return np.where(is_random, (chosen + declined) / max(chosen, 1), 1.0)
