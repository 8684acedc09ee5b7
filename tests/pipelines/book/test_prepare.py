"""From raw tables to a training table: nothing lost, nothing made twice, nothing immature learnt from."""

import json
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pds
import pyarrow.parquet as pq
import pytest

from experiments.experiment.settings import TuneSettings
from experiments.search.tune import tune
from pipelines.applications.applications import load_applications
from pipelines.applications.settings import DataSettings, Source, SplitSettings
from pipelines.book.prepare import prepare
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.credit.loan import DEFINITIONS, LoanContract
from pipelines.errors import ConfigurationError, DataError
from pipelines.features.settings import FeatureSettings, What
from pipelines.marketplace.settings import PrepareSettings, RawSettings
from pipelines.model_store.files import PROFILE
from pipelines.model_store.store import ModelStore
from pipelines.profiles.reference_profile import ReferenceProfile
from pipelines.simulation.settings import SimulateSettings
from pipelines.simulation.simulate import simulate
from pipelines.storage.workspace import Workspace

AS_OF = "2026-01-01"
SHORT = FeatureSettings(what=[What.frequency, What.amount, What.application], windows=[30, 180])


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a small simulated marketplace, prepared."""
    root = tmp_path_factory.mktemp("prepared")
    simulate(SimulateSettings(workspace=str(root), customers=3_000, threads=1))
    prepare(asked(root))
    return root


@pytest.fixture
def copied(workspace: Path, tmp_path: Path) -> Path:
    """A workspace of one's own."""
    shutil.copytree(workspace, tmp_path / "workspace", symlinks=True)
    return tmp_path / "workspace"


def asked(workspace: Path, definition: str = "dpd30_at_3_mob", as_of: str = AS_OF, **changes: Any) -> PrepareSettings:
    raw = RawSettings(folder=str(workspace / "lake" / "simulated"), time_zone="UTC")
    loan = LoanContract(DEFINITIONS[definition], as_of)
    usual = {"workspace": str(workspace), "raw": raw, "loan": loan, "features": SHORT, "threads": 1}
    return PrepareSettings(**usual | changes)


def table(workspace: Path, name: str) -> pa.Table:
    return pds.dataset(workspace / "lake" / "marketplace" / name).to_table()


def table_of_raw(workspace: Path, name: str) -> pa.Table:
    return pds.dataset(workspace / "lake" / "simulated" / name).to_table()


def made(workspace: Path) -> dict[str, int]:
    """Return when each prepared bucket was written."""
    folder = workspace / "lake" / "marketplace" / "prepared"
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*.parquet")}


def test_every_application_is_accounted_for(workspace: Path) -> None:
    told = prepare(asked(workspace)).result
    raw = pds.dataset(workspace / "lake" / "simulated" / "applications").to_table()
    everyone, training = table(workspace, "applications"), table(workspace, "training")
    assert sum(told["statuses"].values()) == len(everyone) == len(raw)
    assert Counter(everyone["status"].to_pylist()) == Counter({k: v for k, v in told["statuses"].items() if v})
    assert set(training["status"].to_pylist()) == {"mature"}
    assert len(training) == told["statuses"]["mature"]
    assert sum(training["bad"].to_pylist()) == told["bad"]
    labelled = [row["bad"] is not None for row in everyone.select(["bad"]).to_pylist()]
    assert labelled == [status == "mature" for status in everyone["status"].to_pylist()]
    assert set(training["age_band"].to_pylist()) <= {"18-24", "25-34", "35-44", "45-54", "55-64", "65 and over", None}


def test_an_outcome_is_known_when_its_window_closes(workspace: Path) -> None:
    training = table(workspace, "training")
    applied, known = (training[name].to_numpy() for name in ("applied_at", "outcome_known_at"))
    assert ((known - applied) > np.timedelta64(89, "D")).all()
    assert known.max() <= np.datetime64(AS_OF)


def test_asked_again_nothing_is_made_and_another_definition_takes_the_same_buckets(copied: Path) -> None:
    before, intake = made(copied), (copied / "lake" / "marketplace" / "intake.json").stat().st_mtime_ns
    prepare(asked(copied))
    assert made(copied) == before
    later = prepare(asked(copied, "dpd90_in_12_months")).result
    assert before.items() < made(copied).items()
    assert (copied / "lake" / "marketplace" / "intake.json").stat().st_mtime_ns == intake
    assert len(table(copied, "training")) == later["statuses"]["mature"] < len(table(copied, "applications"))
    prepare(asked(copied))
    assert len(made(copied)) == 2 * len(before)


def test_a_bucket_that_was_not_finished_is_made_and_the_others_stay(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.book.prepare.BYTES_A_BUCKET", 300_000)
    settings = replace(asked(workspace), workspace=str(tmp_path))
    first, before = prepare(settings).result, made(tmp_path)
    lost = sorted((tmp_path / "lake" / "marketplace" / "training").resolve().glob("*.parquet"))[1]
    lost.unlink()
    (tmp_path / "lake" / "marketplace" / "manifest.json").unlink()
    assert prepare(settings).result["training_fingerprint"] == first["training_fingerprint"]
    changed = {path for path, moment in made(tmp_path).items() if before[path] != moment}
    assert {Path(path).name for path in changed} == {lost.name}
    assert len(before) > 2 * len(changed)


def test_two_commands_at_once_make_one_table(workspace: Path, tmp_path: Path) -> None:
    settings = replace(asked(workspace), workspace=str(tmp_path))
    with ThreadPoolExecutor(2) as pool:
        first, second = (made.result().result for made in [pool.submit(prepare, settings) for _ in range(2)])
    assert first == second
    assert first["statuses"] == prepare(asked(workspace)).result["statuses"]


def test_raw_tables_that_changed_are_read_anew(copied: Path) -> None:
    orders = sorted((copied / "lake" / "simulated" / "orders").glob("*.parquet"))[0]
    rows = pq.read_table(orders)
    amount = pc.add(rows["amount"], 1)
    pq.write_table(rows.set_column(rows.column_names.index("amount"), "amount", amount), orders)
    old = table(copied, "training").sort_by("application_id")
    prepare(asked(copied))
    new = table(copied, "training").sort_by("application_id")
    assert new["orders_180d"].equals(old["orders_180d"])
    assert not new["spent_180d"].equals(old["spent_180d"])


def test_what_came_after_the_as_of_date_is_not_known(copied: Path) -> None:
    earlier = prepare(asked(copied, as_of="2024-07-01")).result
    everyone = table(copied, "applications")
    assert everyone["applied_at"].to_numpy().max() <= np.datetime64("2024-07-01")
    assert 0 < earlier["statuses"]["mature"] < len(everyone)


@pytest.mark.parametrize(
    ("as_of", "message"),
    [
        (
            "2021-01-01",
            r"loan.as_of=2021-01-01 is before the first application \(2022",
        ),
        ("2022-05-15", r"no loan is mature by loan.as_of=2022-05-15 \(.*immature\); a loan is mature 3 months"),
    ],
)
def test_a_date_that_knows_no_outcome_is_refused(as_of: str, message: str, copied: Path) -> None:
    before = (copied / "lake" / "marketplace" / "manifest.json").read_text()
    with pytest.raises(DataError, match=message):
        prepare(asked(copied, as_of=as_of))
    assert (copied / "lake" / "marketplace" / "manifest.json").read_text() == before
    assert len(table(copied, "training"))


def data_of(workspace: Path, path: str) -> DataSettings:
    lake = workspace / "lake" / "marketplace"
    return DataSettings(
        source=Source.marketplace,
        path=str(lake / path),
        id="application_id",
        time="applied_at",
        label="bad",
        status="status",
        outcome_known_at="outcome_known_at",
        protected=["sex", "age_band"],
        decision="decision",
        random_approval="is_random_approval",
        ignored=["customer_id"],
    )


def tuned(workspace: Path, path: str) -> dict[str, Any]:
    settings = TuneSettings(
        workspace=str(workspace),
        data=data_of(workspace, path),
        candidate=ScorecardSettings(),
        trials=1,
        split=SplitSettings(folds=2),
    )
    return dict(tune(settings).result)


def test_a_label_is_never_taken_of_an_immature_application(copied: Path) -> None:
    with pytest.raises(DataError, match=r"only mature applications have a label, received .* declined.*immature of"):
        tuned(copied, "applications")


def test_the_reference_profile_is_that_of_all_who_asked_in_the_test_s_time(copied: Path) -> None:
    told = tuned(copied, "training")
    store = ModelStore(Workspace.at(str(copied)))
    version = store.version("credit_score", told["version"])
    profile = ReferenceProfile.from_json((store.download(version) / PROFILE).read_text())
    training, everyone = table(copied, "training"), table(copied, "applications")
    applied = np.sort(training["applied_at"].to_numpy())
    test = applied[applied >= applied[int(len(applied) * 0.7)]]
    asked_then = everyone["applied_at"].to_numpy()
    expected = int(((asked_then >= test.min()) & (asked_then <= test.max())).sum())
    assert profile.rows == expected > len(test)


def test_the_manifest_tells_what_was_made_and_of_what(workspace: Path) -> None:
    manifest = json.loads((workspace / "lake" / "marketplace" / "manifest.json").read_text())
    assert set(manifest["tables"]) == {"customers", "orders", "applications", "instalments"}
    assert all(len(one["fingerprint"]) == 64 for one in manifest["tables"].values())
    assert {one["name"] for one in manifest["features"]} == set(manifest["numeric"])
    assert manifest["configuration"]["loan"]["as_of"] == AS_OF
    assert manifest["made_with"]["packages"]


def test_an_earlier_run_s_folder_may_be_moved(workspace: Path, tmp_path: Path) -> None:
    shutil.copytree(workspace, tmp_path / "elsewhere", symlinks=True)
    assert len(table(tmp_path / "elsewhere", "training")) == len(table(workspace, "training"))


def test_levels_that_are_not_declared_are_counted_and_told(copied: Path) -> None:
    declared = FeatureSettings(what=[What.channels, What.payment_methods], windows=[30], channels=["App", "store"])
    told = prepare(asked(copied, features=declared))
    orders = Counter(table_of_raw(copied, "orders")["channel"].to_pylist())
    assert told.result["undeclared_levels"] == {"channel": {level: orders[level] for level in ("app", "web")}}
    assert told.result["unseen_levels"] == {"channel": ["App"]}
    lines = "\n".join(map(str, told.summary))
    assert f"undeclared channel 'app' in {orders['app']:,} orders counts as other; use the spelling 'App'" in lines
    assert f"undeclared channel 'web' in {orders['web']:,} orders counts as other; add it to features" in lines
    assert "no order has the channel 'App' of features.channels" in lines


def test_declared_levels_are_not_told(workspace: Path) -> None:
    told = prepare(asked(workspace)).result
    assert (told["undeclared_levels"], told["unseen_levels"]) == ({}, {})


def test_the_shoppers_clocks_are_by_default_those_of_the_raw_times(workspace: Path, tmp_path: Path) -> None:
    raw = RawSettings(folder=str(workspace / "lake" / "simulated"), time_zone="Asia/Shanghai")
    told, nights = [], []
    for number, zone in enumerate((None, "UTC")):
        features = FeatureSettings(what=[What.application], windows=[30], time_zone=zone)
        place = tmp_path / str(number)
        told.append(prepare(replace(asked(workspace, raw=raw, features=features), workspace=str(place))))
        nights.append(table(place, "training").sort_by("application_id")["applied_at_night"].to_pylist())
    hours = {
        one["application_id"]: one["applied_at"].hour for one in table_of_raw(workspace, "applications").to_pylist()
    }
    asked_then = sorted(table(tmp_path / "0", "training")["application_id"].to_pylist())
    assert nights[0] == [hours[one] < 6 for one in asked_then]  # on the clocks that they were written by
    assert nights[0] != nights[1]
    assert [one.result["time_zone"] for one in told] == ["Asia/Shanghai", "UTC"]
    assert any(
        "in the time zone Asia/Shanghai; change it with features.time_zone=" in str(line) for line in told[0].summary
    )


def test_what_was_made_before_the_last_table_but_one_is_removed(copied: Path) -> None:
    folder = copied / "lake" / "marketplace" / "prepared"
    first = table(copied, "training")
    for windows in ([30], [60]):
        before = (copied / "lake" / "marketplace" / "training").resolve()
        made_now = prepare(asked(copied, features=replace(SHORT, windows=windows))).result["identity"]
        assert {one.name for one in folder.iterdir()} == {made_now, before.parents[1].name}
    assert table(copied, "training").num_rows == first.num_rows


def test_resources_that_cannot_be_are_refused(workspace: Path) -> None:
    with pytest.raises(ConfigurationError, match="threads is 0; set at least 1"):
        prepare(asked(workspace, threads=0))


def with_marketplaces(workspace: Path, raw: Path) -> RawSettings:
    """Write the raw tables again with orders and applications in two marketplaces, by their numbers."""
    shutil.copytree(workspace / "lake" / "simulated", raw)
    for name, key in (("orders", "order_id"), ("applications", "application_id")):
        rows = pds.dataset(raw / name).to_table()
        is_odd = pc.equal(pc.bit_wise_and(rows[key], 1), 1)
        shutil.rmtree(raw / name)
        (raw / name).mkdir()
        names = pc.if_else(is_odd, "south", "north")
        pq.write_table(rows.append_column("marketplace", names), raw / name / "all.parquet")
    return RawSettings(folder=str(raw), time_zone="UTC")


def test_features_and_segments_are_taken_by_marketplace(workspace: Path, tmp_path: Path) -> None:
    raw = with_marketplaces(workspace, tmp_path / "raw")
    declared = FeatureSettings(what=[What.frequency, What.marketplaces], windows=[180], marketplaces=["north", "south"])
    prepare(replace(asked(workspace), workspace=str(tmp_path), raw=raw, features=declared))
    training = table(tmp_path, "training").to_pandas()
    assert (training["orders_in_north_180d"] + training["orders_in_south_180d"] == training["orders_180d"]).all()
    assert training["orders_in_north_180d"].sum() > 0
    assert ((training["marketplace"] == "south") == (training["application_id"] % 2 == 1)).all()
    data = DataSettings(
        source=Source.marketplace,
        path=str(tmp_path / "lake" / "marketplace" / "training"),
        label="bad",
        id="application_id",
        time="applied_at",
        status="status",
        outcome_known_at="outcome_known_at",
        decision="decision",
        random_approval="is_random_approval",
        protected=["sex", "age_band"],
        customer="customer_id",
        ignored=["marketplace"],
        segments=["marketplace"],
    )
    roles = load_applications(data, Workspace.at(str(tmp_path)), labelled=True).roles
    assert {*roles.numeric, *roles.categorical} == {"orders_180d"} | {
        f"{stem}_in_{name}_180d" for stem in ("orders", "spent") for name in ("north", "south")
    }


def test_without_marketplaces_there_is_no_such_column(workspace: Path) -> None:
    assert "marketplace" not in table(workspace, "training").column_names
