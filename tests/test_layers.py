"""The import contract in pyproject.toml covers every package, is kept, and refuses every import upwards or sideways."""

import tomllib
from itertools import product
from pathlib import Path
from typing import Any

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[1]
TOPS = ("experiments", "monitoring", "pipelines")


def contracts() -> list[dict[str, Any]]:
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert not any("ignore_imports" in one for one in configuration["contracts"])
    found: list[dict[str, Any]] = configuration["contracts"]
    return found


def layers_of(top: str) -> list[set[str]]:
    """Return the layers of a top-level package, the highest first."""
    (contract,) = (one for one in contracts() if one.get("containers") == [top])
    assert contract["exhaustive"]
    return [{name.strip() for name in layer.split("|")} for layer in contract["layers"]]


def illegal(graph: grimp.ImportGraph, top: str) -> set[tuple[str, str]]:
    """Return the pairs of packages of which the first imports the second against the contract."""
    layers = [grimp.Layer(*layer, independent=True) for layer in layers_of(top)]
    return {(one.importer, one.imported) for one in graph.find_illegal_dependencies_for_layers(layers, {top})}


@pytest.fixture(scope="module")
def packages() -> grimp.ImportGraph:
    """The imports between packages, each package as one node."""
    graph = grimp.build_graph(*TOPS)
    for top in TOPS:
        for package in graph.find_children(top):
            graph.squash_module(package)
    return graph


@pytest.mark.parametrize("top", TOPS)
def test_every_package_has_its_layer(top: str) -> None:
    on_disk = {path.name for path in (ROOT / top).iterdir() if (path / "__init__.py").exists()}
    modules = {path.stem for path in (ROOT / top).glob("*.py")} - {"__init__"}
    assert modules <= {"cli", "errors"}
    assert set().union(*layers_of(top)) == on_disk | modules


@pytest.mark.parametrize("top", TOPS)
def test_the_contract_is_kept(top: str, packages: grimp.ImportGraph) -> None:
    assert illegal(packages, top) == set()


@pytest.mark.parametrize("top", TOPS)
def test_an_import_upwards_or_sideways_breaks_it(top: str, packages: grimp.ImportGraph) -> None:
    layers = layers_of(top)
    for height, layer in enumerate(layers):
        forbidden = set().union(*layers[: height + 1])
        for importer, imported in product(layer, forbidden):
            if importer != imported:
                pair = (f"{top}.{importer}", f"{top}.{imported}")
                packages.add_import(importer=pair[0], imported=pair[1])
                assert pair in illegal(packages, top)
                packages.remove_import(importer=pair[0], imported=pair[1])


def test_experiments_and_monitoring_never_meet_and_pipelines_imports_neither() -> None:
    assert any(one["layers"] == ["experiments | monitoring", "pipelines"] for one in contracts())


def test_credit_imports_nothing_of_ours_but_errors(packages: grimp.ImportGraph) -> None:
    assert packages.find_modules_directly_imported_by("pipelines.credit") == {"pipelines.errors"}
