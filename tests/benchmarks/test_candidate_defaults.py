"""The defaults of each candidate, as a table: `make bench`."""

import time

import pandas as pd
import pytest

from tests.benchmarks.defaults import (
    FAMILIES,
    TAIWAN,
    cross_validated_auc,
    german_folds,
    german_sample,
    taiwan_folds,
    taiwan_sample,
)


def test_candidate_defaults(request: pytest.FixtureRequest, german_table: pd.DataFrame) -> None:
    if not request.config.getoption("--benchmarks"):
        pytest.skip("benchmarks run with --benchmarks (make bench)")
    german = german_sample(german_table)
    samples = {"German 10x3": (german, german_folds(german, repeats=3))}
    if TAIWAN.exists():
        taiwan = taiwan_sample()
        samples["Taiwan 5"] = (taiwan, taiwan_folds(taiwan))
    print(f"\n{'data':<12} {'candidate':<23} {'AUC':>7} {'s/fit':>6}")
    for name, (sample, folds) in samples.items():
        for family in FAMILIES:
            start = time.perf_counter()
            found = cross_validated_auc(family, sample, folds)
            print(f"{name:<12} {family:<23} {found:>7.4f} {(time.perf_counter() - start) / len(folds):>6.2f}")
            assert found > 0.5
