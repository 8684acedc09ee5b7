"""How a finding is told and drawn: its headline, its bars, its colours."""

import html
from typing import Any

from monitoring.drift import Finding

GREY, BLUE, RED = "#9aa0a6", "#1f6feb", "#d32f2f"
LONGEST_TICK = 18
LEGEND = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}
MODEBAR = {"remove": ["zoom", "pan", "select", "lasso", "zoomin", "zoomout", "autoscale", "resetscale"]}

# What Evidently's page lacks: a verdict that is seen from afar, charts of an even height, and a fit to a telephone.
STYLE = """<style>
.MuiCard-root .MuiCard-root .MuiAlertTitle-root { font-size: 2.4rem; font-weight: 700; line-height: 1 }
.MuiCard-root .MuiCard-root .MuiAlert-message { font-size: 1.1rem }
.MuiCard-root .MuiCard-root .MuiAlert-icon { font-size: 2.4rem }
h5, li, p, td { overflow-wrap: anywhere }
.MuiGrid-direction-xs-column { flex-wrap: nowrap !important }
.js-plotly-plot { height: 340px; min-height: 340px !important }
.modebar-btn--logo { display: none }
@media (max-width: 600px) {
  .MuiGrid-grid-xs-2, .MuiGrid-grid-xs-5 { width: 100% !important }
  .MuiTable-root { min-width: 0 !important }
}
</style>"""


def psi_and_limit(finding: Finding) -> str:
    """Write both numbers with as many digits as tell them apart.

    >>> psi_and_limit(Finding("points", True, 0.27004, 0.27001, (), (), ()))
    'PSI 0.27004, limit 0.27001'
    """
    pairs = [(f"{finding.psi:.{digits}g}", f"{finding.limit:.{digits}g}") for digits in range(2, 18)]
    psi, limit = next((pair for pair in pairs if pair[0] != pair[1]), pairs[0])
    return f"PSI {psi}, limit {limit}"


def headline(finding: Finding) -> str:
    """Return the finding in a line, with ALARM where it is one."""
    return f"{finding.column}: {psi_and_limit(finding)}{', ALARM' if finding.alarmed else ''}"


def layout(finding: Finding) -> dict[str, Any]:
    """Return Plotly's layout of the finding's chart: bins along the axis, shares upwards."""
    ticks = [label if len(label) <= LONGEST_TICK else f"{label[:LONGEST_TICK]}…" for label in finding.labels]
    return {
        "margin": {"l": 10, "r": 10, "t": 30, "b": 10},
        "xaxis": {"automargin": True, "tickvals": [*range(len(ticks))], "ticktext": [*map(html.escape, ticks)]},
        "yaxis": {"automargin": True, "tickformat": ".0%", "rangemode": "tozero"},
        "legend": LEGEND,
        "modebar": MODEBAR,
    }


def bars(finding: Finding) -> list[dict[str, Any]]:
    """Return Plotly's bars: the share of rows in each bin, in the reference and now."""
    now = RED if finding.alarmed else BLUE
    return [_bars(finding, "reference", finding.reference, GREY), _bars(finding, "current", finding.current, now)]


def _bars(finding: Finding, name: str, counts: tuple[int, ...], colour: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": name,
        "marker": {"color": colour},
        "x": [*range(len(counts))],
        "y": [count / max(sum(counts), 1) for count in counts],
        "customdata": [[html.escape(label), count] for label, count in zip(finding.labels, counts, strict=True)],
        "hovertemplate": "%{customdata[0]}<br>%{y:.1%}, %{customdata[1]:,} rows",
    }
