"""What the leak rules find in columns that data.ignored leaves out, which is often why they are left out."""

from dataclasses import replace

import numpy as np
import pandas as pd

from experiments.evidence.evaluation_set import EvaluationSet
from experiments.evidence.leak_rules import find_leaks
from experiments.evidence.own_features import as_array
from pipelines.candidates.raw_columns import read_columns
from pipelines.reading.values import Kind


def leaks_in_ignored(evaluation_set: EvaluationSet, limit: float) -> dict[str, str]:
    """Return the findings against each ignored column, as if it were a feature; `limit` is the AUC of a leak."""
    applications = evaluation_set.applications
    roles, raw = applications.roles, applications.raw
    types = roles.contract.types
    if raw is None:
        return {}
    names = [name for name in roles.ignored if name in types and name in raw.table.column_names]
    numeric = [name for name in names if types[name].is_numeric]
    others = (Kind.time, Kind.nested, Kind.empty)
    categorical = [name for name in names if name not in numeric and types[name].kind not in others]
    if not (numeric or categorical):
        return {}
    columns, _ = read_columns(raw.columns([*numeric, *categorical]), roles.contract, numeric, categorical)
    features = {name: np.asarray(columns[name], np.float64) for name in numeric}
    frame = pd.DataFrame(features | {name: as_array(columns[name]) for name in categorical})
    everyone = replace(
        applications, features=frame, roles=replace(roles, numeric=tuple(numeric), categorical=tuple(categorical))
    )
    development, test = (everyone.take(rows) for rows in (evaluation_set.split.development, evaluation_set.split.test))
    findings = find_leaks(development, test, [*numeric, *categorical], limit).reasons
    return {name: ", ".join(reasons) for name, reasons in findings.items() if name in frame}
