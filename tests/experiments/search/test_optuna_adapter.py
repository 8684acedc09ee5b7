"""What Optuna does not document is used in one module, which names the version it was written for."""

import re
from importlib.metadata import version
from pathlib import Path

from experiments.search.optuna_adapter import WRITTEN_FOR

ROOT = Path(__file__).parents[3]


def test_the_adapter_is_written_for_the_installed_version() -> None:
    assert version("optuna") == WRITTEN_FOR, (
        "Optuna changed: read its changelog for the constructor of Trial and the engine of RDBStorage, run the tests "
        "of experiments/search, then set WRITTEN_FOR"
    )


def test_only_the_package_search_imports_optuna() -> None:
    sources = [path for top in ("pipelines", "experiments", "monitoring") for path in (ROOT / top).rglob("*.py")]
    imports = re.compile(r"^\s*(from|import) optuna\b", re.MULTILINE)
    importers = {path.parent.relative_to(ROOT) for path in sources if imports.search(path.read_text(encoding="utf-8"))}
    assert importers == {Path("experiments/search")}


def test_no_module_but_the_adapter_touches_what_optuna_keeps_private() -> None:
    private = re.compile(r"\b(study|trial|storage|distribution|one)\._[a-z]")
    for path in (ROOT / "experiments/search").glob("*.py"):
        if path.name != "optuna_adapter.py":
            assert not private.search(path.read_text(encoding="utf-8")), path.name
