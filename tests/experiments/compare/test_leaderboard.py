"""The leaderboard tells the versions of an experiment apart, at 80 columns."""

import json
from io import StringIO
from typing import Any

from rich.console import Console

from experiments.compare.leaderboard import compare
from experiments.compare.settings import CompareSettings
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CANDIDATE, EVALUATION, EXPERIMENT, OVERRIDES
from tests.experiments.ledgers import registered

GROUPS = ["amount_asked_for", "earlier_applications", "payment_methods"]
AUC = {"measures": {"auc": {"value": 0.7, "low": 0.6, "high": 0.8}}}


def swept(store: ModelStore, model: str, name: str | None) -> None:
    """Register a version for each group that is left out."""
    for number, group in enumerate(GROUPS):
        overrides = ["candidate.parameters.max_leaf_nodes=15", f"leave_out=[{group}]"]
        tags = {OVERRIDES: json.dumps(overrides), EVALUATION: json.dumps(AUC), CANDIDATE: "hist_gradient_boosting"}
        store.tag(registered(store, model, number), tags | ({EXPERIMENT: name} if name else {}))


def board(store: ModelStore, model: str) -> tuple[dict[str, Any], str]:
    """Return what compare answers to scripts, and its table at 80 columns."""
    outcome = compare(CompareSettings(workspace=str(store.workspace.root), model=model))
    console = Console(width=80, record=True, file=StringIO(), highlight=False)
    console.print(outcome.summary[0])
    return dict(outcome.result), console.export_text()


def test_versions_of_an_experiment_show_what_differs(store: ModelStore) -> None:
    swept(store, "named", "ablation")
    result, text = board(store, "named")
    assert max(map(len, text.splitlines())) <= 80
    for group in GROUPS:
        assert f"[{group}]" in text
    assert text.count("ablation, leave_out:") == len(GROUPS)
    assert "max_leaf_nodes" not in text
    assert {row["experiment"] for row in result["versions"]} == {"ablation"}
    assert all(len(row["overrides"]) == 2 for row in result["versions"])


def test_without_experiments_there_is_no_such_column(store: ModelStore) -> None:
    swept(store, "unnamed", None)
    result, text = board(store, "unnamed")
    assert "experiment" not in text
    assert "leave_out" not in text
    assert {row["experiment"] for row in result["versions"]} == {None}
