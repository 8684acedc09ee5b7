"""A chart as an SVG file of its own, such as MLflow shows beside a run."""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup, escape

MARGIN, TITLE_HEIGHT = 14, 26


@cache
def style() -> Markup:
    """Return the style sheet of charts."""
    return Markup((files("pipelines.charts") / "style.css").read_text())


def write_chart(path: Path, svg: Markup, title: str) -> None:
    """Write a chart with its title and style sheet to a file; an empty chart writes none."""
    if not svg:
        return
    size = re.search(r'width="(\d+)" height="(\d+)"', svg)
    assert size is not None
    width, height = int(size[1]) + 2 * MARGIN, int(size[2]) + MARGIN + TITLE_HEIGHT
    inside = str(svg).replace("<svg ", f'<svg x="{MARGIN}" y="{TITLE_HEIGHT}" ', 1)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{2 * width}" '
        f'height="{2 * height}"><style>{style()}</style><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="{MARGIN}" y="18" class="heading">{escape(title)}</text>{inside}</svg>\n'
    )
