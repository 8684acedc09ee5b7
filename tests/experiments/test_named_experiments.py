"""Every file of conf/experiment and one of a user's own, run in small on a simulated marketplace."""

import json
from pathlib import Path
from typing import Any

import pytest

import thinfile
from pipelines.command.hydra_application import configuration_folder
from tests.experiments.marketplaces import prepared

pytestmark = pytest.mark.integration

NAMES = sorted(file.stem for file in (configuration_folder() / "experiment").glob("*.yaml"))
SMALL = ["trials=1", "split.folds=2", "threads=1", "output=json"]
SMALLER = {
    "auto": ["candidate.families=[scorecard]"],
    "boosted_trees": ["candidate.families=[hist_gradient_boosting]"],
    "fair": ["candidate=scorecard", "fair.attribute=sex", "fair.approval_rate=0.7"],  # the default approves all
    "learning_curve": ["candidate=scorecard", "split.months=2,6,null"],
    "learning_curve_by_rows": ["candidate=scorecard", "split.share=0.5,1.0"],
    "split_seeds": ["candidate=scorecard", "data=german_credit", "split.seed=0,1"],
}
LABELS = {
    "ablation": "leave_out",
    "learning_curve": "split.months",
    "learning_curve_by_rows": "split.share",
    "reject_inference": "reject_inference",
    "split_seeds": "split.seed",
}
"""What a sweep changes from version to version."""

GROUPS = ["", "purchases", "tenure", "amount_asked_for", "late_payments"]
"""Some of the catalogue's groups, and none."""

OWN = "# @package _global_\n# Do few bins suffice?\n#   thinfile tune experiment=few_bins\ncandidate:\n"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("named") / "workspace", 4000)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """Run a command that succeeds and return its JSON."""
    code = thinfile.main(list(words))
    captured = capsys.readouterr()
    assert code == 0, captured.err + captured.out
    return json.loads(captured.out)


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_runs_and_is_named(name: str, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, where = f"model={name}", f"workspace={workspace}"
    words = ["data=marketplace", *SMALL, *SMALLER.get(name, ["candidate=scorecard"])]
    results = run(capsys, "tune", f"experiment={name}", *words, model, where)
    results = results if isinstance(results, list) else [results]
    assert {result["experiment"] for result in results} == {name}
    assert (len(results) > 1) == (name in LABELS)
    rows = run(capsys, "compare", model, where, "output=json")["versions"]
    assert {row["experiment"] for row in rows} == {name}
    if name in LABELS:
        labels = [next(word for word in row["overrides"] if word.startswith(f"{LABELS[name]}=")) for row in rows]
        assert len({*labels}) == len(results)
        assert name != "ablation" or {f"leave_out=[{group}]" for group in GROUPS} <= {*labels}


def test_a_users_own_experiment_is_recorded(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "experiment"
    folder.mkdir()
    (folder / "few_bins.yaml").write_text(f"{OWN}  parameters:\n    max_bins: 3\n")
    where = [f"--config-dir={tmp_path}", f"workspace={workspace}", "model=own"]
    words = ["experiment=few_bins", "candidate=scorecard", "data=marketplace"]
    [result] = [run(capsys, "tune", *words, *SMALL, *where)]
    assert (result["experiment"], result["parameters"]["max_bins"]) == ("few_bins", 3)
    [row] = run(capsys, "compare", *where, "output=json")["versions"]
    assert row["experiment"] == "few_bins"
    assert run(capsys, "replay", f"run={result['run_id']}", where[1], "output=json")["agrees"]
