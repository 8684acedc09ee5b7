"""The page of a study: what it shows, what it names as missing, and that it can be read anywhere."""

import re
from pathlib import Path

import pytest

from experiments.compare.study_page.history_chart import lowest_shown, score_axis
from experiments.compare.study_page.page import study_html
from experiments.compare.study_page.parameter_charts import parallel_coordinates, shown_parameters, slices
from experiments.compare.study_page.refit_charts import front_chart, learning_chart
from experiments.compare.study_page.search_facts import search_facts
from tests.chromium import open_page
from tests.experiments.compare.study_page.made_numbers import (
    CONFIG,
    HOSTILE,
    LONG,
    made_numbers,
    made_search,
    made_trials,
)
from tests.real_parts import needs_chromium


def test_all_parts_are_shown_and_names_are_text() -> None:
    # when
    page = study_html(made_numbers())
    # then
    assert HOSTILE not in page
    assert page.count("<svg") > 30
    assert "Not available" not in page
    assert "5 more features lose at most" in page
    for anchor in ("search", "front", "parameters", "final", "learning", "ablation", "permutation", "calibration"):
        assert f'<section id="{anchor}">' in page


def test_what_could_not_be_computed_is_named_with_the_reason_and_the_rest_is_shown() -> None:
    # given
    numbers = made_numbers() | {"refits": None, "refits_missing": "no file 'table.csv'", "front": None}
    # when
    page = study_html(numbers)
    # then
    assert page.count("Not available:</b> no file &#39;table.csv&#39;.") == 4
    assert 'id="front"' not in page
    assert "Cross-validated AUC by trial" in page


def test_a_study_without_a_finished_trial_has_a_page() -> None:
    # given
    numbers = made_numbers() | {"search": search_facts(made_trials()[5:7], CONFIG), "front": None}
    numbers |= {"final": {"missing": "the study has registered no version"}, "refits": None}
    # then
    assert "a history needs two finished trials" in study_html(numbers)


def test_trials_are_counted_by_state_and_family() -> None:
    # when
    facts = made_search()
    # then
    assert facts["states"] == {"finished": 38, "pruned": 1, "failed": 1}
    assert len(facts["history"]) == 38
    by_name = {one["family"]: one for one in facts["families"]}
    assert (by_name["lightgbm"]["finished"], by_name["lightgbm"]["pruned"]) == (25, 1)
    assert (by_name["scorecard"]["finished"], by_name["scorecard"]["failed"]) == (13, 1)
    assert by_name["scorecard"]["best"] == max(
        trial.values[0] for trial in made_trials() if trial.values and trial.parameters["family"] == "scorecard"
    )
    assert next(iter(by_name["scorecard"]["importances"]["shares"])) == "smoothing"


def test_equal_families_explain_little_and_different_ones_all() -> None:
    # given scores of which half belong to each family
    trials = made_trials()
    flat = [trial for trial in trials if trial.number not in (5, 6, 7)][:18]
    assert search_facts(flat, CONFIG)["between_families"] < 0.5
    # when one family is far better
    apart = [
        type(trial)(**{**vars(trial), "values": (0.9 if trial.parameters["family"] == "lightgbm" else 0.6,)})
        for trial in flat
    ]
    # then
    assert search_facts(apart, CONFIG)["between_families"] == pytest.approx(1.0)


def test_no_mark_is_outside_its_chart() -> None:
    family = made_search()["families"][0]
    numbers = made_numbers()
    charts = [picture for _, picture in slices(family)]
    charts += [parallel_coordinates(family), learning_chart(numbers["refits"]["learning_curve"])]
    charts += [front_chart(numbers["front"])]
    for chart in charts:
        width, height = map(int, re.findall(r'viewBox="0 0 (\d+) (\d+)"', chart)[0])
        assert all(0 <= float(x) <= width for x in re.findall(r'cx="([-\d.]+)"', chart))
        assert all(0 <= float(y) <= height for y in re.findall(r'cy="([-\d.]+)"', chart))
        assert "nan" not in chart


def test_parameters_are_shown_by_importance_and_only_those_that_varied() -> None:
    family = made_search()["families"][0]
    for one in family["tried"]:
        one["parameters"]["fixed"] = 1
    assert shown_parameters(family) == list(family["importances"]["shares"])


def test_a_few_bad_trials_do_not_flatten_the_history() -> None:
    values = [0.5, *(0.78 + place / 1000 for place in range(10))]
    assert 0.5 < lowest_shown(values) < 0.78


def test_ticks_of_close_scores_are_told_apart() -> None:
    axis = score_axis([0.7861, 0.7869])
    assert len({axis.format(tick) for tick in axis.ticks}) == len(axis.ticks)


@needs_chromium
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_can_be_read_at_any_width_with_the_network_off(tmp_path: Path, width: int) -> None:
    # given
    path = tmp_path / "study.html"
    path.write_text(study_html(made_numbers()))
    # when
    shown = open_page(path, width=width)
    # then
    assert not shown.console
    assert not shown.requests
    assert not shown.wide
    assert HOSTILE in shown.text
    assert LONG in shown.text
