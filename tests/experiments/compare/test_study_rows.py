"""Studies side by side: what each row says, whatever became of the study."""

import json
from typing import Any

import pytest

from experiments.compare.study_rows import requested_trials, study_rows, unique_ids
from experiments.compare.study_table import study_table
from experiments.search.stored_studies import State, StudyName
from experiments.search.study_summaries import BestTrial, StudySummary
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.tags import CV_AUC, EVALUATION, PARAMETERS, PARTS, STUDY, TRIAL

FOLDS = {"number": 5, "hash": "same", "held_out_to_fit": 0.25}
AUCS = [0.80, 0.78, 0.79, 0.81, 0.77]
REAL, NOT_REAL = (0.030, 0.024, 0.027, 0.021, 0.033), (0.002, -0.004, 0.003, 0.001, 0.001)


def version(number: int, study: str, label: str, cv_auc: float, **tags: Any) -> RegisteredModel:
    evaluation = {"measures": {"auc": {"value": 0.77}}}
    own = {STUDY: study, TRIAL: label, CV_AUC: repr(cv_auc), EVALUATION: json.dumps(evaluation)}
    return RegisteredModel("german", number, None, "", None, own | tags, (), 0.0)


def study(number: int, *, behind: Any = (0,) * 5, folds: Any = FOLDS, counts: Any = None, **notes: Any) -> StudySummary:
    aucs = [one - gap for one, gap in zip(AUCS, behind, strict=True)]
    best = BestTrial(3, sum(aucs) / 5, "xgboost", {"aucs": aucs, "cost": 1.5} | notes)
    name = StudyName(f"german auto {number:016x}", number, {} if folds is None else {"folds": folds})
    return StudySummary(name, counts or {State.COMPLETE: 3, State.PRUNED: 1}, 12.5, best, {3: best.notes})


def without_trials(number: int, counts: dict[State, int]) -> StudySummary:
    return StudySummary(StudyName(f"german auto {number:016x}", number), counts)


def test_the_best_is_first_and_real_differences_on_the_same_folds_are_marked() -> None:
    rows = study_rows([study(1, behind=REAL), study(2), study(3, behind=NOT_REAL)], [], set())
    assert [row["title"][-1] for row in rows] == ["2", "3", "1"]
    assert [row["folds"] for row in rows] == ["the best", "same", "same"]
    assert [row["behind"] and row["behind"]["is_real"] for row in rows] == [None, False, True]
    assert rows[2]["behind"]["value"] == pytest.approx(0.027)
    assert study_table("german", rows).rows[0][3] == "the best"


def test_other_folds_and_studies_without_a_record_of_them_are_not_compared() -> None:
    other = study(2, behind=REAL, folds={**FOLDS, "hash": "other"})
    rows = study_rows([study(1), other, study(3, behind=REAL, folds=None)], [], set())
    assert [row["folds"] for row in rows] == ["the best", "unknown", "other"]
    assert [row["behind"] for row in rows] == [None, None, None]
    assert [row[3] for row in study_table("german", rows).rows] == ["the best", "folds unknown", "other folds"]


def test_what_a_study_registered_its_shrinkage_and_its_cost() -> None:
    """The blend has 5 models of trial 3 and one of trial 7: 5 * 1.5 + 0.25 microseconds per row."""
    one = study(1)
    one.notes[7] = {"cost": 0.25}
    parts = [
        {"family": "xgboost", "weight": 0.6, "models": 5},
        {"family": "scorecard", "weight": 0.4, "models": 1},
    ]
    blend = version(
        2,
        one.name.identity,
        "blend of 3 (60%), 7 (40%)",
        0.792,
        **{PARTS: json.dumps(parts), PARAMETERS: json.dumps({"parts": [{"weight": 0.6}, {"weight": 0.4}]})},
    )
    earlier = version(1, one.name.identity, "3", 0.79)
    assert requested_trials([earlier, blend]) == {one.name.identity: {3, 7}}
    (row,) = study_rows([one], [earlier, blend], set())
    assert (row["version"], row["versions"], row["state"]) == (2, [1, 2], "version 2")
    assert (row["test_auc"], row["shrinkage"], row["cost"]) == (0.77, pytest.approx(0.022), 7.75)
    assert row["trials"] == {"finished": 3, "pruned": 1, "failed": 0, "running": 0}


def test_studies_that_found_nothing_come_last_with_what_became_of_them() -> None:
    failed, empty = without_trials(1, {State.FAIL: 4}), without_trials(2, {})
    going, killed = without_trials(3, {State.RUNNING: 1}), without_trials(4, {State.RUNNING: 1, State.FAIL: 1})
    old = StudySummary(StudyName("0123456789abcdef", 5), {State.COMPLETE: 2}, 3.0, BestTrial(0, 0.7, None, {}))
    rows = study_rows([failed, empty, going, killed, old, study(6)], [], {going.name.identity})
    assert [row["state"] for row in rows] == ["stopped", "stopped", "stopped", "running", "empty", "failed"]
    assert [row["cv_auc"] is None for row in rows] == [False, False, True, True, True, True]
    assert (rows[1]["candidate"], rows[1]["cost"], rows[1]["folds"]) == (None, None, "unknown")
    assert len(study_table("german", rows).rows) == 6


def test_ids_are_as_long_as_they_must_be() -> None:
    names = [StudyName("german auto 0123456789abcdef", 1), StudyName("german auto 0123456788abcdef", 2)]
    assert set(unique_ids(names).values()) == {"0123456789", "0123456788"}
    assert set(unique_ids(names[:1]).values()) == {"01234567"}


def test_the_table_fits_eighty_columns_without_what_matters_least() -> None:
    table = study_table("german", study_rows([study(1), study(2, behind=REAL)], [], set()))
    shown = [table.columns[index].title for index in table.fitting(80)]
    assert shown[:4] == ["study", "candidate", "search AUC", "behind the best"]
    assert shown[-1] == "state"
