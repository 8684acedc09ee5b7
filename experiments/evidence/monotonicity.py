"""Tests whether the score of a version moves with each feature in the declared or the expected direction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from experiments.evidence.evaluation_set import EvaluationSet, ScoredVersion
from experiments.experiment.directions import WORDS, declared_directions, expected_directions
from pipelines.candidates.monotonicity import TOLERANCE, check_directions
from pipelines.candidates.portable_model import Columns, Floats
from pipelines.candidates.sample import Sample
from pipelines.errors import listed
from pipelines.model_store.tags import CANDIDATE

ROUNDING_OF_OTHERS = 1e-6
"""Models of other tools may compute in single precision."""

EDGE = 1e-15
"""Probabilities are kept so far from 0 and 1, which models of other tools may return."""

MOST_NAMED = 3

Predict = Callable[[Columns], tuple[Floats, Floats]]
"""A model: raw log-odds and calibrated probabilities of bad."""


def monotonicity(scored: ScoredVersion, evaluation_set: EvaluationSet) -> list[dict[str, Any]]:
    """Return how a version keeps to each declared direction, and to the expected ones of a catalogue (see `checked`).

    The declared ones are those of the version's record; for a version from elsewhere, those of the data settings. A
    declared feature that the version does not have is listed with no rows.
    """
    data = evaluation_set.data if evaluation_set.study is None else evaluation_set.study.data
    numeric = scored.predictor.numeric
    declared = declared_directions(data, [*numeric, *data.directions])
    expected = expected_directions(evaluation_set.manifest.get("features", ()))
    expected = {name: sign for name, sign in expected.items() if name in numeric and name not in declared}
    if not declared and not expected:
        return []
    test, development = (scored.read(part) for part in (evaluation_set.test, evaluation_set.development))
    sample = Sample.of(test.features, test.outcomes, numeric, scored.predictor.categorical)
    also = {name: development.features[name].to_numpy(np.float64) for name in numeric}
    rounding = TOLERANCE if CANDIDATE in scored.version.tags else ROUNDING_OF_OTHERS
    records = checked(scored.predictor.predict, sample, declared, also=also, tolerance=rounding)
    others = checked(scored.predictor.predict, sample, expected, also=also, tolerance=rounding)
    absent = [_record(name, sign, 0, None, 0.0) for name, sign in declared.items() if name not in numeric]
    return records + absent + [one | {"declared": False} for one in others]


def checked(
    predict: Predict,
    sample: Sample,
    directions: Mapping[str, int],
    *,
    also: Columns,
    tolerance: float = TOLERANCE,
) -> list[dict[str, Any]]:
    """Return records of the checks of declared directions on a model's calibrated log-odds (see `check_directions`).

    `share_violating` is the share of the moved `rows` whose score moves against the direction, None where no row could
    be moved; `largest` is the largest such move, in log-odds.
    """

    def log_odds(columns: Columns) -> Floats:
        probability = np.clip(predict(columns)[1], EDGE, 1 - EDGE)
        return np.asarray(np.log(probability) - np.log1p(-probability))

    directed = replace(sample, directions=directions)
    checks = check_directions(log_odds, directed, also=also, tolerance=tolerance)
    return [_record(one.feature, one.direction, one.rows, one.share_violating, one.largest) for one in checks]


def _record(feature: str, sign: int, rows: int, share: float | None, largest: float) -> dict[str, Any]:
    return {
        "feature": feature,
        "expected": WORDS[sign],
        "declared": True,
        "rows": rows,
        "share_violating": share,
        "largest": largest,
    }


def adherence(records: Sequence[Mapping[str, Any]]) -> str:
    """Return as the end of a sentence about a score how it keeps to the declared directions.

    >>> age = {"feature": "age", "expected": "safer", "rows": 200, "share_violating": 0.03, "largest": 0.21}
    >>> adherence([age])
    'moves against the declared direction of age (safer: in 3.0% of 200 applications, by up to 0.21 log-odds)'
    >>> adherence([age | {"share_violating": 0.0}, age | {"feature": "debt", "rows": 0, "share_violating": None}])
    'keeps to the declared direction of age; not checked: debt (not in the model, or one value only)'
    """
    moved = [one for one in records if one["rows"]]
    against = sorted(filter(_is_violated, moved), key=lambda one: (-one["share_violating"], -one["largest"]))
    named = listed([_figures(one) for one in against] or [one["feature"] for one in moved], MOST_NAMED)
    verb = "moves against" if against else "keeps to"
    plural = "s" * (len(against or moved) > 1)
    unmoved = listed([one["feature"] for one in records if not one["rows"]], MOST_NAMED)
    rest = f"; not checked: {unmoved} (not in the model, or one value only)" if unmoved else ""
    return (f"{verb} the declared direction{plural} of {named}" if moved else "has no declared feature to move") + rest


def _is_violated(record: Mapping[str, Any]) -> bool:
    return bool(record["share_violating"])


def _figures(record: Mapping[str, Any]) -> str:
    return (
        f"{record['feature']} ({record['expected']}: in {record['share_violating']:.1%} of {record['rows']} "
        f"applications, by up to {record['largest']:.2g} log-odds)"
    )
