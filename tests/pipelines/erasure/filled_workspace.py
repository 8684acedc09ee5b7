"""A workspace with a lake, its quarantine, a prepared table and a score log, to erase a person from."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.credit.population import Population
from pipelines.erasure.settings import EraseSettings
from pipelines.score_log.key import LogKey, decision_ids
from pipelines.score_log.score_log import PartitionFiles, ScoreLog
from pipelines.storage.workspace import Workspace
from tests.pipelines.score_log.rows import decision_table

GONE, STAYS = "CUST-GONE-77", "CUST-STAYS-78"
APPLICATIONS = {"APP-0001": GONE, "APP-0002": STAYS, "APP-0003": GONE, "APP-0004": STAYS}
KEY = LogKey("credit_score", 1, Population.applications, "2026-01")
IDENTITY = "0123456789abcdef"


def written(table: pa.Table, path: Path, **how: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, **how)
    return path


def fill(workspace: Workspace) -> Workspace:
    lake = workspace.lake / "marketplace"
    ids, owners = list(APPLICATIONS), list(APPLICATIONS.values())
    prepared = pa.table({"application_id": ids, "customer_id": owners, "income": [1.0, 2.0, None, 4.0]})
    tables = {
        "clean/customers/bucket=0": pa.table({"customer_id": [STAYS, GONE], "sex": ["f", "m"]}),
        "clean/applications/bucket=0": prepared.select(["application_id", "customer_id"]),
        "clean/instalments/bucket=0": pa.table({"application_id": ["APP-0002", "APP-0001"], "number": [1, 1]}),
        "quarantine": pa.table({"customer_id": [GONE, None], "broken_rule": ["x", "y"]}),
        f"prepared/{IDENTITY}/applications/mature": prepared.slice(0, 3),
        f"prepared/{IDENTITY}/applications/other": prepared.slice(3),
        f"prepared/{IDENTITY}/vintages": pa.table({"mob": [1], "observed": [4]}),
    }
    for folder, table in tables.items():
        written(table, lake / folder / "part.parquet")
    told = {"identity": IDENTITY, "training_fingerprint": "before", "configuration": {"raw": {"folder": "/elsewhere"}}}
    (lake / "manifest.json").write_text(json.dumps(told))
    log_decisions(workspace)
    return workspace


def log_decisions(workspace: Workspace) -> None:
    ids = np.array(list(APPLICATIONS))
    scores = {"raw_score": np.zeros(4), "pd": np.full(4, 0.5), "points": np.full(4, 405), "band": ["350-549"] * 4}
    about = {"application_id": ids, "decision": ["declined"] * 4}
    features = pd.DataFrame({"income": [1.0, 2.0, np.nan, 4.0]})
    table = decision_table(KEY, "model", "policy", "input", scores | about)
    ScoreLog(workspace).write(KEY, "part", table, PartitionFiles(features, pd.DataFrame({"sex": list("mfmf")})))


def settings(workspace: Workspace, customer: str = GONE, **told: Any) -> EraseSettings:
    return EraseSettings(workspace=str(workspace.root), customer=customer, **told)


def rows_below(workspace: Workspace) -> dict[str, list[dict[str, Any]]]:
    files = sorted(path for path in workspace.root.rglob("*.parquet") if "~" not in path.name)
    return {str(one.relative_to(workspace.root)): pq.read_table(one, partitioning=None).to_pylist() for one in files}


def theirs(row: dict[str, Any], decisions: set[str]) -> bool:
    owned = {one for one, owner in APPLICATIONS.items() if owner == GONE}
    ids = {str(row.get("customer_id")), row.get("application_id"), row.get("decision_id")}
    return bool(ids & ({GONE} | owned | decisions))


def gone_decisions() -> set[str]:
    return set(decision_ids(KEY, "model", np.array([one for one, owner in APPLICATIONS.items() if owner == GONE])))


class Killed(BaseException):
    pass
