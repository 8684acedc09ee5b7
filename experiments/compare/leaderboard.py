"""The verb compare: every registered version, best first, champion marked."""

import json
import shlex
from datetime import UTC, datetime
from typing import Any

from experiments.compare.settings import CompareSettings
from pipelines.candidates.families.blend import blend_title
from pipelines.command.table import FittedTable, TableColumn
from pipelines.command.verb import Outcome, carried
from pipelines.errors import RequestError
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import existing_store
from pipelines.model_store.tags import CANDIDATE, CHALLENGER, CHAMPION, CV_AUC, EVALUATION, PARTS, TEST_PART
from pipelines.storage.workspace import Workspace


def compare(settings: CompareSettings) -> Outcome:
    """Return the leaderboard of a model's versions.

    Raises:
        RequestError: the model has no versions.
    """
    store = existing_store(Workspace.at(settings.workspace), settings.model)
    versions = store.versions(settings.model)
    if not versions:
        raise RequestError(f"model '{settings.model}' has no versions; register one with `thinfile tune`")
    rows = sorted(map(_row, versions), key=lambda row: (row["test_auc"] is None, -(row["test_auc"] or 0)))
    return Outcome(
        {"model": settings.model, "versions": rows},
        summary=[_table(settings.model, rows), *_remarks(rows)],
        next_steps=[
            f"thinfile promote version=N{carried(settings)}",
            f"mlflow ui --backend-store-uri {shlex.quote(store.shown_url)}",
        ],
    )


def _row(model: RegisteredModel) -> dict[str, Any]:
    measures = json.loads(model.tags.get(EVALUATION, '{"measures": {}}'))["measures"]
    test_measures = {f"test_{name}": measures.get(name, {}).get("value") for name in ("auc", "gini", "ks", "brier")}
    interval = {f"test_auc_{end}": measures.get("auc", {}).get(end) for end in ("low", "high")}
    return {
        "version": model.version,
        "aliases": list(model.aliases),
        "candidate": model.tags.get(CANDIDATE, "from elsewhere"),
        "parts": json.loads(model.tags[PARTS]) if PARTS in model.tags else [],
        "cv_auc": float(model.tags[CV_AUC]) if CV_AUC in model.tags else None,
        **test_measures,
        **interval,
        "test_part": model.tags.get(TEST_PART),
        "registered": datetime.fromtimestamp(model.created, UTC).isoformat(timespec="seconds"),
    }


MOST_BLENDS = 5
"""The parts of so many blends are listed, best first; output=json has them all."""

COLUMNS = (
    TableColumn("", figures=False),
    TableColumn("version"),
    TableColumn("candidate", figures=False, rank=1),
    TableColumn("test AUC (95% interval)"),
    TableColumn("KS", rank=4),
    TableColumn("Brier", rank=5),
    TableColumn("search AUC", rank=2),
    TableColumn("registered", figures=False, rank=3),
)


def _table(name: str, rows: list[dict[str, Any]]) -> FittedTable:
    table = FittedTable(f"{name}: {len(rows)} version{'s' * (len(rows) > 1)}, by AUC on the test part", COLUMNS)
    for row in rows:
        role = "★ champion" if CHAMPION in row["aliases"] else CHALLENGER if CHALLENGER in row["aliases"] else ""
        candidate = blend_title(row["parts"]).partition(":")[0] if row["parts"] else row["candidate"]
        auc = f"{_figure(row['test_auc'])} ({_figure(row['test_auc_low'])} to {_figure(row['test_auc_high'])})"
        others = [_figure(row[name]) for name in ("test_ks", "test_brier", "cv_auc")]
        table.rows.append([role, str(row["version"]), candidate, auc, *others, row["registered"][:10]])
    return table


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _remarks(rows: list[dict[str, Any]]) -> list[str]:
    blends = [row for row in rows if row["parts"]]
    remarks = [f"version {row['version']}: {blend_title(row['parts'])}" for row in blends[:MOST_BLENDS]]
    if not any(CHAMPION in row["aliases"] for row in rows):
        remarks.append("no champion yet")
    if len({row["test_part"] for row in rows if row["test_part"]}) > 1:
        remarks.append("versions with different test parts are listed: their test figures are not comparable")
    return remarks
