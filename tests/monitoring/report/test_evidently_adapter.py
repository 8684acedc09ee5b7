"""One module uses Evidently, and names the version it was written for."""

import re
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_adapter_is_written_for_the_installed_version() -> None:
    from monitoring.report.evidently_adapter import WRITTEN_FOR

    assert version("evidently") == WRITTEN_FOR, (
        "Evidently changed: read its changelog for the names that monitoring/report/evidently_adapter.py imports, run "
        "the tests of monitoring/report, then set WRITTEN_FOR"
    )


def test_no_other_module_imports_evidently() -> None:
    sources = [path for top in ("pipelines", "experiments", "monitoring") for path in (ROOT / top).rglob("*.py")]
    imports = re.compile(r"^\s*(from|import) evidently\b", re.MULTILINE)
    importers = {str(path.relative_to(ROOT)) for path in sources if imports.search(path.read_text(encoding="utf-8"))}
    assert importers == {"monitoring/report/evidently_adapter.py"}
