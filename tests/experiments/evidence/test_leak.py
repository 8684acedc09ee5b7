"""A feature that knew the future is named, one that did not is left alone, and what cannot be shown is not passed."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments.evidence.leak import leak_evidence
from experiments.evidence.single_feature import single_feature_auc
from pipelines.applications.applications import load_applications
from pipelines.applications.settings import DataSettings, Source
from pipelines.policy.pack import GateSettings
from pipelines.storage.workspace import Workspace
from tests.experiments.marketplaces import LAKE, data_of, leaking, names_of, prepared

SAMPLE = 60


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("lake"), customers=1_500)


def judged(data: DataSettings, workspace: Path, gates: GateSettings | None = None, **more: Any) -> dict[str, Any]:
    """Return the evidence on all features of a table, cut into two parts."""
    everyone = load_applications(data, Workspace.at(str(workspace)))
    half = np.arange(len(everyone)) < len(everyone) // 2
    parts = [everyone.take(np.flatnonzero(rows)) for rows in (half, ~half)]
    used = more.get("used", list(everyone.features))
    return leak_evidence(data, *parts, used, gates or GateSettings(leak_sample=SAMPLE), seed=more.get("seed", 0))


def test_a_prepared_table_is_found_free_of_the_future(lake: Path) -> None:
    told = judged(data_of(lake), lake)
    assert (told["kind"], told["sampled"], told["differing"], told["why"]) == ("recomputed", SAMPLE, {}, None)
    assert judged(data_of(lake), lake, GateSettings(leak_sample=10**6))["differing"] == {}


def test_only_the_features_that_a_model_uses_count(lake: Path) -> None:
    path = leaking(lake, "one", lambda table: table.assign(spent_180d=table["spent_180d"] + 1))
    assert judged(data_of(lake, path), lake, used=["orders_180d"])["differing"] == {}
    told = judged(data_of(lake, path), lake, used=["orders_180d", "spent_180d"])
    assert told["differing"] == {"spent_180d": SAMPLE}
    assert re.search(r"was known, application of \d{4}-\d\d-\d\dT", told["examples"]["spent_180d"])


def test_a_column_that_nobody_can_recompute_differs_in_all(lake: Path) -> None:
    path = leaking(lake, "added", lambda table: table.assign(collected=np.arange(len(table)) % 3))
    told = judged(data_of(lake, path), lake)
    assert told["differing"] == {"collected": SAMPLE}
    assert told["not_in_catalogue"] == ["collected"]


def test_a_category_and_a_missing_value_are_compared_too(lake: Path) -> None:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(basket_category="toys", days_since_last_order=np.nan)

    told = judged(data_of(lake, leaking(lake, "levels", change)), lake)
    assert set(told["differing"]) == {"basket_category", "days_since_last_order"}
    assert 0 < told["differing"]["basket_category"] < SAMPLE


def test_an_application_that_the_lake_does_not_hold_differs_in_every_feature(lake: Path) -> None:
    invented = leaking(lake, "invented", lambda table: table.assign(application_id=table["application_id"] + 10**12))
    told = judged(data_of(lake, invented), lake)
    assert told["differing"] == dict.fromkeys(names_of(), SAMPLE)


@pytest.mark.parametrize(
    ("break_it", "why"),
    [
        (lambda lake: [one.unlink() for one in lake.rglob("manifest.json")], "has no manifest beside"),
        (lambda lake: (lake / "clean").rename(lake / "elsewhere"), "there are no clean tables beside"),
        (
            lambda lake: (lake / "intake.json").write_text('{"identity": "another"}'),
            "were replaced after the manifest was written",
        ),
    ],
)
def test_what_cannot_be_recomputed_is_said_and_why(
    break_it: Callable[[Path], Any], why: str, lake: Path, tmp_path: Path
) -> None:
    shutil.copytree(lake, tmp_path / "moved", symlinks=True)
    assert judged(data_of(tmp_path / "moved"), tmp_path)["kind"] == "recomputed"
    break_it(tmp_path / "moved" / "lake" / "marketplace")
    told = judged(data_of(tmp_path / "moved"), tmp_path)
    assert (told["kind"], told["sampled"]) == ("not possible", 0)
    assert why in told["why"]


def test_an_earlier_table_is_not_taken_for_that_of_the_manifest(lake: Path, tmp_path: Path) -> None:
    shutil.copytree(lake, tmp_path / "copied", symlinks=True)
    folder = tmp_path / "copied" / LAKE
    identity = json.loads((folder / "manifest.json").read_text())["identity"]
    (folder / "prepared" / identity).rename(folder / "prepared" / "earlier")
    (folder / "training").unlink()
    (folder / "training").symlink_to(Path("prepared") / "earlier" / "applications" / "mature")
    told = judged(data_of(tmp_path / "copied"), tmp_path)
    assert told["kind"] == "not possible"
    assert f"is the table earlier, and the manifest beside it is of {identity}" in told["why"]


def flat(tmp_path: Path, **columns: Any) -> DataSettings:
    generator = np.random.default_rng(0)
    bad = generator.random(2_000) < 0.3
    table = pd.DataFrame({"bad": bad.astype(int), "plain": generator.normal(size=2_000) + bad})
    for name, make in columns.items():
        table[name] = make(bad, generator)
    table.to_csv(tmp_path / "flat.csv", index=False)
    categorical = [name for name in columns if table[name].dtype.kind not in "if"]
    numeric = [name for name in table if name not in (*categorical, "bad")]
    return DataSettings(Source.table, str(tmp_path / "flat.csv"), label="bad", numeric=numeric, categorical=categorical)


def with_gaps(bad: Any, generator: Any) -> Any:
    return np.where(bad, np.nan, generator.normal(size=len(bad)))


def spelled(bad: Any, generator: Any) -> Any:
    return np.where(bad, "dunning", generator.choice(["open", "closed"], len(bad)))


LEAKS: dict[str, Callable[[Any, Any], Any]] = {
    "rises": lambda bad, generator: bad * 10 + generator.normal(size=len(bad)),
    "falls": lambda bad, generator: bad * -10 + generator.normal(size=len(bad)),
    "missing_when_bad": with_gaps,
    "category": spelled,
    "code_in_the_middle": lambda bad, generator: np.where(bad, 5, generator.choice([1, 9], len(bad))),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_feature_that_tells_too_much_alone_is_named_and_waived_by_name(name: str, tmp_path: Path) -> None:
    data = flat(tmp_path, **{name: LEAKS[name]})
    told = judged(data, tmp_path)
    assert told["kind"] == "single_feature"
    assert list(told["telling"]) == [name]
    assert told["telling"][name] > 0.95
    waived = judged(data, tmp_path, GateSettings(waived=[name, "plain"]))
    assert (waived["telling"], waived["waived"]) == ({}, [name])


def test_a_level_of_its_own_for_every_row_tells_nothing(tmp_path: Path) -> None:
    harmless: dict[str, Callable[[Any, Any], Any]] = {
        "name": lambda bad, _: [f"N{number}" for number in range(len(bad))],
        "town": lambda bad, generator: generator.choice([f"T{number}" for number in range(700)], len(bad)),
        "constant": lambda bad, _: np.ones(len(bad)),
    }
    assert judged(flat(tmp_path, **harmless), tmp_path)["telling"] == {}


def test_the_auc_of_one_feature_is_that_of_a_hand_worked_case(tmp_path: Path) -> None:
    rows = pd.DataFrame({"x": [1, 2.5, 3, 4, 2, None], "bad": [0, 1, 0, 1, 0, 1]})
    rows.to_csv(tmp_path / "six.csv", index=False)
    data = DataSettings(Source.table, str(tmp_path / "six.csv"), label="bad", numeric=["x"])
    six = load_applications(data, Workspace.at(str(tmp_path)))
    # Of 9 pairs of good and bad, the bad one ranks higher in 8 where missing is the last, in 5 where it is the first.
    assert single_feature_auc(six.take(np.arange(3)), six.take(np.arange(3, 6)), ["x"])["x"] == pytest.approx(8 / 9)
