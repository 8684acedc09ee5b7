"""Rows of the score log for tests."""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from pipelines.score_log.columns import Decisions, log_rows, row_schema
from pipelines.score_log.key import LogKey, decision_ids


def decision_table(
    key: LogKey, model_hash: str, policy_hash: str, fingerprint: str, columns: Mapping[str, object]
) -> pa.Table:
    """Return rows of the log from the columns that differ by row: application_id, scores, band and decision."""
    ids = np.asarray(columns["application_id"])
    arrays = dict(columns) | {"decision_id": decision_ids(key, model_hash, ids)}
    shared = {
        "model_hash": model_hash,
        "policy_hash": policy_hash,
        "decided_at": datetime.now(UTC),
        "input_fingerprint": fingerprint,
    }
    by_row = {name: pa.array(values, row_schema().field(name).type) for name, values in arrays.items()}
    return log_rows(Decisions(len(ids), key.columns | shared, by_row))
