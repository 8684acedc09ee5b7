"""The reports of a workspace, read from their report.json."""

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitoring.verdict.period_report import Verdict
from pipelines.score_log.columns import SHADOW

FACTS, PAGE = "report.json", "report.html"


@dataclass(frozen=True)
class StoredReport:
    """A report as a line of the index, and its page."""

    model: str
    version: int
    population: str
    period: str
    window: str
    rows: int
    verdict: Verdict
    sentence: str
    faults: int
    page: Path
    is_shadow: bool = False

    @property
    def link(self) -> str:
        """The address of the page relative to the folder of the reports."""
        return "/".join(self.page.parts[-5:])


def stored_reports(folder: Path) -> list[StoredReport]:
    """Return the reports in `MODEL/version-N/POPULATION/PERIOD`, newest period first.

    A report that cannot be read is left out with a warning.
    """
    return sorted(_readable(folder), key=lambda one: (one.period, one.model, one.version, one.population), reverse=True)


def latest_of_each(reports: list[StoredReport]) -> list[StoredReport]:
    """Return the newest report of each model and population, an incomplete one only where there is no other.

    Reports of shadow scores are left out.
    """
    newest: dict[tuple[str, str], StoredReport] = {}
    for one in sorted((one for one in reports if not one.is_shadow), key=lambda one: one.verdict is Verdict.INCOMPLETE):
        newest.setdefault((one.model, one.population), one)
    return list(newest.values())


def _readable(folder: Path) -> Iterator[StoredReport]:
    for path in sorted(folder.glob(f"*/*/*/*/{FACTS}")):
        page = path.with_name(PAGE)
        if not page.exists():  # its writer was killed between the two
            continue
        try:
            yield _read(json.loads(path.read_text(encoding="utf-8")), page)
        except (OSError, ValueError, LookupError, TypeError) as cause:
            logging.getLogger(__name__).warning(
                "'%s' cannot be read and is not in the index (%r); write it again with `thinfile watch`", path, cause
            )


def _read(facts: Mapping[str, Any], page: Path) -> StoredReport:
    key = facts["key"]
    return StoredReport(
        model=str(key["model"]),
        version=int(key["version"]),
        population=str(key["population"]),
        period=str(key["period"]),
        window=str(facts["window"]),
        rows=int(facts["rows"]),
        verdict=Verdict(facts["verdict"]),
        sentence=str(facts["sentence"]),
        faults=len(facts["faults"]),
        page=page,
        is_shadow=key.get("role") == SHADOW,
    )
