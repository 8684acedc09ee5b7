"""The verb compare: every registered version, best first, champion marked, and below them the studies."""

import json
from datetime import UTC, datetime
from typing import Any

from experiments.compare.differing import differing_overrides, experiment_title
from experiments.compare.settings import CompareSettings
from experiments.compare.studies import all_studies
from experiments.compare.study_table import study_remarks, study_table
from pipelines.candidates.families.blend import blend_title
from pipelines.command.table import FittedTable, TableColumn
from pipelines.command.verb import Outcome, carried
from pipelines.errors import RequestError
from pipelines.ledger.champion import FollowedLedger, dispute_of
from pipelines.model_store.addresses import open_command
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import existing_store
from pipelines.model_store.tags import (
    CANDIDATE,
    CHALLENGER,
    CV_AUC,
    EVALUATION,
    EXPERIMENT,
    OVERRIDES,
    PARTS,
    TEST_PART,
)
from pipelines.storage.workspace import Workspace


def compare(settings: CompareSettings) -> Outcome:
    """Return the leaderboard of a model's versions and its studies.

    Raises:
        RequestError: the model has neither.
    """
    store = existing_store(Workspace.at(settings.workspace), settings.model)
    versions = store.versions(settings.model)
    studies = all_studies(store, settings.model, versions)
    if not versions and not studies:
        raise RequestError(f"model '{settings.model}' has no versions and no studies; start with `thinfile tune`")
    champion, dispute = FollowedLedger(store, settings.model).number(), dispute_of(store, settings.model)
    rows = sorted(map(_row, versions), key=lambda row: (row["test_auc"] is None, -(row["test_auc"] or 0)))
    best = next((row["version"] for row in rows if row["version"] != champion), None)
    return Outcome(
        {"model": settings.model, "champion": champion, "versions": rows, "studies": studies},
        summary=[
            *([f"CHAMPION DISPUTED: {dispute}"] if dispute else []),
            *_versions(settings.model, rows, champion),
            *_studies(settings.model, studies),
        ],
        next_steps=[
            *([f"thinfile compare study={studies[0]['study']}{carried(settings)}"] if studies else []),
            *([f"thinfile promote version={best}{carried(settings)}"] if best else []),
            open_command(store.url),
        ],
    )


def _versions(model: str, rows: list[dict[str, Any]], champion: int | None) -> list[Any]:
    return [_table(model, rows, champion), *_remarks(rows, champion)] if rows else [f"{model} has no versions yet"]


def _studies(model: str, rows: list[dict[str, Any]]) -> list[Any]:
    return [study_table(model, rows), *study_remarks(rows)] if rows else []


def _row(model: RegisteredModel) -> dict[str, Any]:
    measures = json.loads(model.tags.get(EVALUATION, '{"measures": {}}'))["measures"]
    test_measures = {f"test_{name}": measures.get(name, {}).get("value") for name in ("auc", "gini", "ks", "brier")}
    interval = {f"test_auc_{end}": measures.get("auc", {}).get(end) for end in ("low", "high")}
    return {
        "version": model.version,
        "aliases": list(model.aliases),
        "experiment": model.tags.get(EXPERIMENT),
        "overrides": json.loads(model.tags.get(OVERRIDES, "[]")),
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

EXPERIMENTS = TableColumn("experiment", figures=False, wraps=True)
"""Shown after the version where any version has one."""

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


def _table(name: str, rows: list[dict[str, Any]], champion: int | None) -> FittedTable:
    has_experiments = any(row["experiment"] for row in rows)
    columns = (*COLUMNS[:2], EXPERIMENTS, *COLUMNS[2:]) if has_experiments else COLUMNS
    table = FittedTable(f"{name}: {len(rows)} version{'s' * (len(rows) > 1)}, by AUC on the test part", columns)
    for row, overrides in zip(rows, differing_overrides(rows), strict=True):
        is_challenger = CHALLENGER in row["aliases"]
        role = "★ champion" if row["version"] == champion else CHALLENGER if is_challenger else ""
        candidate = blend_title(row["parts"]).partition(":")[0] if row["parts"] else row["candidate"]
        auc = f"{_figure(row['test_auc'])} ({_figure(row['test_auc_low'])} to {_figure(row['test_auc_high'])})"
        others = [_figure(row[name]) for name in ("test_ks", "test_brier", "cv_auc")]
        experiment = [experiment_title(row["experiment"], overrides)] if has_experiments else []
        table.rows.append([role, str(row["version"]), *experiment, candidate, auc, *others, row["registered"][:10]])
    return table


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _remarks(rows: list[dict[str, Any]], champion: int | None) -> list[str]:
    blends = [row for row in rows if row["parts"]]
    remarks = [f"version {row['version']}: {blend_title(row['parts'])}" for row in blends[:MOST_BLENDS]]
    if champion is None:
        remarks.append("no champion yet")
    if len({row["test_part"] for row in rows if row["test_part"]}) > 1:
        remarks.append("versions with different test parts are listed: their test figures are not comparable")
    return remarks
