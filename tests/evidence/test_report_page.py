"""The report of a period opens without a network, and can be read at a desk and on a telephone."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from monitoring.report.report_files import write_report
from monitoring.verdict.period_report import PeriodReport, Verdict
from tests.chromium import RenderedPage, open_page
from tests.evidence.conftest import Evidence
from tests.monitoring.report.made_reports import made_report
from tests.real_parts import needs_chromium

SMALLEST_TEXT = 9.0
PLOTS = {Verdict.ACT: 20, Verdict.WATCH: 18, Verdict.STABLE: 17, Verdict.INCOMPLETE: 0}
"""Of each verdict at least so many of our plots are to be seen without unfolding anything."""

MEASURE = """{
const seen = (box) => box.checkVisibility() && box.getBoundingClientRect().height > 40;
const size = (box) => {
  const picture = box.closest('svg[viewBox]');
  const scale = picture ? picture.getBoundingClientRect().width / picture.viewBox.baseVal.width : 1;
  return parseFloat(getComputedStyle(box).fontSize) * scale;
};
const told = (box) => box.checkVisibility() && [...box.childNodes].some((one) => one.nodeType == 3 && one.data.trim());
const texts = [...document.querySelectorAll('.thinfile *')].filter(told);
document.body.dataset.plots = [...document.querySelectorAll('.thinfile .plot')].filter(seen).length;
document.body.dataset.smallest = Math.min(...texts.map(size)).toFixed(2);
}"""


@needs_chromium
def test_the_report_of_a_period_opens_and_can_be_read(evidence: Evidence, tmp_path: Path) -> None:
    verdicts = list(Verdict) if evidence.full else [Verdict.ACT]
    reports = {verdict: made_report(verdict) for verdict in verdicts}
    shown = {
        (verdict, width): open_page(_write(report, tmp_path), width=width, script=MEASURE)
        for verdict, report in reports.items()
        for width in (1280, 400)
    }
    console = sum(len(page.console) for page in shown.values())
    requests = sum(len(page.requests) for page in shown.values())
    cut = sum(page.wide for page in shown.values())
    verdict_first = sum(_begins_with(page, reports[verdict]) for (verdict, _), page in shown.items())
    lacking = sum(_data(page, "plots") < PLOTS[verdict] for (verdict, _), page in shown.items())
    smallest = min(_data(page, "smallest") for page in shown.values())
    holds = not (console or requests or cut or lacking) and verdict_first == len(shown) and smallest >= SMALLEST_TEXT
    evidence.record(
        "59-report-page",
        claim="a period's report (41 columns, 8 segments, 15 vintages, 19 periods of conduct; one of each verdict) in "
        "headless Chromium with the network off, at 1280 and 400 pixels",
        value=f"{console} console messages, {requests} requests, {cut} pages cut off, {verdict_first} of {len(shown)} "
        f"begin with the verdict, {lacking} lack a plot, smallest text {smallest:.1f} pixels",
        bound=f"0, 0, 0, all, 0, at least {SMALLEST_TEXT:.0f} pixels",
        holds=holds,
    )
    assert holds


def _write(report: PeriodReport, folder: Path) -> Path:
    sample = pd.DataFrame({"n_orders_90_days": range(300), "purchase_category": ["fashion", "home", "other"] * 100})
    return write_report(
        report,
        reference_sample=sample,
        current_sample=sample,
        categorical=["purchase_category"],
        folder=folder / report.verdict.value,
        evidently_workspace=folder / "evidently",
        project="evidence",
        timestamp=datetime(2026, 10, 1, tzinfo=UTC),
    ).html


def _begins_with(page: RenderedPage, report: PeriodReport) -> bool:
    lines = [line for line in page.text.splitlines() if line]
    return lines[:3] == [report.title, report.verdict.name, report.sentence]


def _data(page: RenderedPage, name: str) -> float:
    return float(page.dom.partition(f'data-{name}="')[2].partition('"')[0])
