"""The reports of a workspace, as their files of facts tell."""

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitoring.verdict.period_report import Verdict

FACTS, PAGE = "report.json", "report.html"


@dataclass(frozen=True)
class StoredReport:
    """What a report says in a line, and where its page lies."""

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

    @property
    def link(self) -> str:
        """The page's address, as seen from the index beside all reports."""
        return "/".join(self.page.parts[-5:])


def stored_reports(folder: Path) -> list[StoredReport]:
    """Return the reports below `MODEL/version-N/POPULATION/PERIOD`, newest period first; one that cannot be read is
    left out, and the log says so."""
    return sorted(_readable(folder), key=lambda one: (one.period, one.model, one.version, one.population), reverse=True)


def latest_of_each(reports: list[StoredReport]) -> list[StoredReport]:
    """Return the newest report of each model and population; one that is incomplete only where no other is there."""
    newest: dict[tuple[str, str], StoredReport] = {}
    for one in sorted(reports, key=lambda one: one.verdict is Verdict.INCOMPLETE):
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
                "left out of the index: '%s' cannot be read (%r); write it again with `thinfile watch`", path, cause
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
    )
