"""Measures each candidate's defaults on real data, cross-validated."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
import pandas as pd
from sklearn.model_selection import RepeatedStratifiedKFold, StratifiedKFold

from pipelines.applications.splits import Fold
from pipelines.candidates.families.catboost import CatBoostSettings
from pipelines.candidates.families.extra_trees import ExtraTreesSettings
from pipelines.candidates.families.hist_gradient_boosting import HistGradientBoostingSettings
from pipelines.candidates.families.lightgbm import LightGBMSettings
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.families.xgboost import XGBoostSettings
from pipelines.candidates.registry import candidate_of
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import CandidateSettings
from pipelines.candidates.training import held_out_log_odds
from pipelines.credit.discrimination import auc

TAIWAN = Path(__file__).resolve().parents[3] / "shared" / "data" / "taiwan_credit_cards.parquet"
FAMILIES: dict[str, CandidateSettings] = {
    "scorecard": ScorecardSettings(),
    "catboost": CatBoostSettings(),
    "extra_trees": ExtraTreesSettings(),
    "hist_gradient_boosting": HistGradientBoostingSettings(),
    "lightgbm": LightGBMSettings(),
    "xgboost": XGBoostSettings(),
}


def german_sample(table: pd.DataFrame) -> Sample:
    """Return the German credit data without its protected attributes."""
    features = table.drop(columns=["creditability", "personal_status_and_sex", "age_in_years", "foreign_worker"])
    numeric = [str(column) for column in features.select_dtypes("number")]
    categorical = [str(column) for column in features if column not in numeric]
    return Sample.of(features, table["creditability"].eq("bad").to_numpy().astype(np.int8), numeric, categorical)


def taiwan_sample() -> Sample:
    """Return the Taiwan credit card data without its protected attributes, all numbers."""
    table = pd.read_parquet(TAIWAN)
    bad = table.iloc[:, -1].to_numpy().astype(np.int8)
    features = table.iloc[:, :-1].drop(columns=["ID", "SEX", "AGE", "MARRIAGE"])
    return Sample.of(features, bad, [str(column) for column in features], [])


def german_folds(sample: Sample, repeats: int) -> list[Fold]:
    """Return 10 stratified folds, `repeats` times."""
    splitter = RepeatedStratifiedKFold(n_splits=10, n_repeats=repeats, random_state=0)
    return [Fold(*fold) for fold in splitter.split(sample.bad, sample.bad)]


def taiwan_folds(sample: Sample) -> list[Fold]:
    """Return 5 stratified folds."""
    return [Fold(*fold) for fold in StratifiedKFold(5, shuffle=True, random_state=0).split(sample.bad, sample.bad)]


def cross_validated_auc(family: str, sample: Sample, folds: Sequence[Fold]) -> float:
    """Return the mean AUC of the held-out parts."""
    held_out = held_out_log_odds(candidate_of(FAMILIES[family]), sample, folds, seed=0, threads=2)
    return fmean(auc(sample.bad[fold.held_out], score) for fold, score in zip(folds, held_out, strict=True))
