"""Where Evidently's drift preset is wrong out of the box, and what Thinfile says of the same tables."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.evidence.conftest import FOLDER, Evidence
from tests.evidence.evidently_cases import (
    SMALL,
    Answer,
    Case,
    ask_evidently,
    ask_thinfile,
    cases,
    small_months,
)

ASKED: dict[str, Callable[[Case], Answer]] = {
    "Evidently, its defaults": partial(ask_evidently, defaults=True),
    "Evidently, PSI": partial(ask_evidently, defaults=False),
    "Thinfile": ask_thinfile,
}
Line = tuple[str, list[Answer], list[bool]]
RIGHT, WRONG = "#1a7f37", "#cf222e"


def test_every_change_is_flagged_and_nothing_else(evidence: Evidence) -> None:
    rows, months = evidence.size(full=100_000, reduced=5_000), evidence.size(full=1000, reduced=5)
    lines = [_line(case) for case in cases(rows)] + [_small_months(months)]
    wrong = {name: sum(not line[2][place] for line in lines) for place, name in enumerate(ASKED)}
    if evidence.full:
        draw(lines, FOLDER / "54-evidently-failures.svg")
    evidence.record(
        "54-evidently-failures",
        claim="simulated incomes, 100,000 rows: unchanged or shifted by 0.5 and 0.8 standard deviations, each with and "
        "without one value of 1e9; missing values from 0% to 95%; one column empty; a category that is the same for "
        f"all; 1,000 unchanged months of {SMALL} rows: cases in which the "
        "report misses a change, flags where nothing changed, or "
        "ends without an answer (figure: 54-evidently-failures.svg)",
        value=", ".join(f"{name}: {number} of {len(lines)}" for name, number in wrong.items()),
        bound="Thinfile: 0",
        holds=wrong["Thinfile"] == 0,
    )
    assert wrong["Thinfile"] == 0, [line for line in lines if not line[2][-1]]


def test_one_outlier_hides_a_shift_from_evidently_and_an_empty_column_ends_its_report() -> None:
    found = {case.name: case for case in cases(5_000)}
    hidden = found["incomes shifted by 0.8 sd, and one value of 1e9"]
    assert ask_evidently(hidden, defaults=False).flagged is False
    ended = found["one column empty, incomes shifted by 0.8 sd"]
    assert ask_evidently(ended, defaults=True).flagged is None
    assert ask_thinfile(ended).told.startswith("column gone: age; ")


def test_the_figure_is_drawn(tmp_path: Path) -> None:
    case = next(cases(500))
    draw([(case.name, [Answer(True, "drift (0.1)")] * 3, [False] * 3)], tmp_path / "figure.svg")
    assert "incomes unchanged" in (tmp_path / "figure.svg").read_text()


def _line(case: Case) -> Line:
    answers = [ask(case) for ask in ASKED.values()]
    return case.name, answers, [answer.is_right(case) for answer in answers]


def _small_months(months: int) -> Line:
    """Return in how many of these months each flags something; it is wrong where one in twenty would be unlikely."""
    from scipy.stats import binomtest

    lines = [_line(case) for case in small_months(months)]
    flagged = [sum(bool(line[1][place].flagged) for line in lines) for place in range(len(ASKED))]
    answers = [Answer(number > 0, f"drift in {number / months:.0%} of months") for number in flagged]
    right = [bool(binomtest(number, months, 0.05, alternative="greater").pvalue >= 0.01) for number in flagged]
    return f"{lines[0][0]}, {months} months", answers, right


def draw(lines: list[Line], path: Path) -> None:
    """Draw what each report says of each case: right in green, wrong in red, each with a mark of its own."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 0.5 + 0.42 * (len(lines) + 1)), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(0, 10.5), ylim=(len(lines) + 0.6, -0.6))
    axes.set_axis_off()
    places = [3.75, 5.55, 7.35]
    for place, name in zip(places, ASKED, strict=True):
        axes.text(place, 0, name, weight="bold", va="center")
    for row, (name, answers, right) in enumerate(lines, start=1):
        axes.axhline(row - 0.5, color="#d0d7de", linewidth=0.8)
        axes.text(0, row, name, va="center", fontsize=9)
        for place, answer, is_right in zip(places, answers, right, strict=True):
            mark, color = ("✓", RIGHT) if is_right else ("✗", WRONG)
            axes.text(place, row, f"{mark} {answer.told}", va="center", color=color, fontsize=9)
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "54"}):
        figure.savefig(path, metadata={"Date": None})
