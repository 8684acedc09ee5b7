"""Charts put values where they belong, survive hostile text, and can be read as files of their own."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pipelines.charts.plot import Axis, Plot
from pipelines.charts.series_chart import Chart, Mark, Series, draw
from pipelines.charts.standalone import write_chart

HOSTILE = '</svg><script>alert("x")</script>'


def numbers(svg: str, pattern: str) -> list[float]:
    return [float(one) for one in re.findall(pattern, svg)]


def test_an_axis_has_round_ends_that_cover_all_values() -> None:
    axis = Axis.over("", [0.137, 0.482, float("nan"), float("inf")], str)
    assert (axis.low, axis.high) == pytest.approx((0.1, 0.5))
    assert list(axis.ticks) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])


def test_equal_steps_are_equally_far_apart_and_larger_values_lie_higher() -> None:
    axis = Axis("", 0, 10, [0, 10], str)
    plot = Plot("", axis, axis)
    plot.line([(0, 0), (5, 5), (10, 10)], "ink")
    (points,) = re.findall(r'points="([^"]*)"', plot.svg())
    (x0, y0), (x1, y1), (x2, y2) = (map(float, one.split(",")) for one in points.split())
    assert x1 - x0 == pytest.approx(x2 - x1)
    assert y0 - y1 == pytest.approx(y1 - y2)
    assert y2 < y0


def test_a_series_shows_each_finite_mark_with_its_interval_and_tooltip() -> None:
    marks = [Mark(0, 0.2, "first", 0.1, 0.3), Mark(1, float("nan"), "nothing"), Mark(2, 0.4, HOSTILE, hollow=True)]
    svg = str(draw(Chart("Rate", HOSTILE, [Series("", "s1", marks, joined=True)], ["a", "b", "c"], share=True)))
    root = ElementTree.fromstring(svg)
    assert [one.text for one in root.iter("title")] == ["first", HOSTILE]
    assert len(root.findall("g/line")) == 1
    assert root.attrib["aria-label"] == HOSTILE
    assert "<script" not in svg


def test_a_chart_as_a_file_is_well_formed_and_titled(tmp_path: Path) -> None:
    axis = Axis("x", 0, 1, [0, 1], str)
    write_chart(tmp_path / "chart.svg", Plot("empty", axis, axis).svg(), "A & B")
    root = ElementTree.parse(tmp_path / "chart.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "A & B" in {one.text for one in root.iter("{http://www.w3.org/2000/svg}text")}
