"""A study declares the directions of its settings and, where it says so, those of its marketplace's catalogue."""

import json
from pathlib import Path

import pytest

from experiments.experiment.directions import declared_directions
from pipelines.applications.settings import DataSettings, RiskDirection, Source
from pipelines.errors import ConfigurationError

FEATURES = [
    {"name": "orders_90d", "direction": "safer"},
    {"name": "late_share_90d", "direction": "riskier"},
    {"name": "principal", "direction": "unknown"},
    {"name": "not_in_the_model", "direction": "safer"},
]
NUMERIC = ["orders_90d", "late_share_90d", "principal", "income"]


def marketplace(folder: Path, **settings: object) -> DataSettings:
    """Return the settings of a training table with a catalogue beside it."""
    (folder / "manifest.json").write_text(json.dumps({"features": FEATURES}))
    return DataSettings(source=Source.marketplace, path=str(folder / "training"), **settings)  # type: ignore[arg-type]


def test_larger_numbers_are_riskier_or_safer() -> None:
    directions = {"income": RiskDirection.safer, "debt": RiskDirection.riskier, "age": RiskDirection.any}
    data = DataSettings(source=Source.table, directions=directions)
    assert declared_directions(data, ["age", "debt", "income"]) == {"income": -1, "debt": 1}


def test_the_directions_of_a_catalogue_are_expected_unless_they_are_declared(tmp_path: Path) -> None:
    assert declared_directions(marketplace(tmp_path), NUMERIC) == {}
    data = marketplace(tmp_path, catalogue_directions=True)
    assert declared_directions(data, NUMERIC) == {"orders_90d": -1, "late_share_90d": 1}


def test_own_directions_go_before_those_of_the_catalogue(tmp_path: Path) -> None:
    own = {"orders_90d": RiskDirection.any, "late_share_90d": RiskDirection.safer, "principal": RiskDirection.riskier}
    data = marketplace(tmp_path, catalogue_directions=True, directions=own)
    assert declared_directions(data, NUMERIC) == {"late_share_90d": -1, "principal": 1}


def test_data_without_a_catalogue_is_refused(tmp_path: Path) -> None:
    message = "data.catalogue_directions is true, and the data {}; .* declare directions in data.directions"
    with pytest.raises(ConfigurationError, match=message.format("is table")):
        declared_directions(DataSettings(source=Source.table, catalogue_directions=True), NUMERIC)
    data = DataSettings(source=Source.marketplace, path=str(tmp_path / "training"), catalogue_directions=True)
    with pytest.raises(ConfigurationError, match=message.format("has no manifest beside it")):
        declared_directions(data, NUMERIC)
