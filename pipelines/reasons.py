"""Why an application was declined: the groups of features that raised its risk most, in plain words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.candidates import served
from pipelines.meanings import default_meaning
from pipelines.model_store.predictor import Columns, Floats, Predictor
from pipelines.policy import ReasonSettings

LEAST = 1e-9
"""A smaller contribution, in log-odds, is what rounding leaves of none."""


@dataclass(frozen=True)
class Reasons:
    """Of n applications the groups that raised the risk, largest first, and the words for each.

    `sizes` is the sum of the contributions of the group's features, in log-odds. A row without reasons is an empty
    list: nothing raised its risk above that of the average applicant, or the model does not tell.
    """

    groups: list[list[str]]
    words: list[list[str]]
    sizes: list[list[float]]


def reasons_of(predictor: Predictor, features: pd.DataFrame, settings: ReasonSettings) -> Reasons:
    """Return at most `settings.most` reasons for each application of a frame; see `stated_reasons`."""
    told = predictor.contributions(features)
    columns = served.columns_of(features, predictor.numeric, predictor.categorical)
    return stated_reasons(predictor, columns, told, settings)


def stated_reasons(
    predictor: Predictor, columns: Columns, told: tuple[float, Floats] | None, settings: ReasonSettings
) -> Reasons:
    """Return at most `settings.most` reasons for each of n applications, in the words of the policy where it has some.

    `told` are the model's contributions. Other words are the meaning of the group's feature that raised the risk most,
    and whether its value was higher or lower than usual among the applications that the model was learnt from.
    """
    rows = len(next(iter(columns.values())))
    if told is None or not rows:
        return Reasons([[]] * rows, [[]] * rows, [[]] * rows)
    names, groups, added = [*predictor.numeric, *predictor.categorical], reason_groups(predictor), told[1]
    members = [[names.index(name) for name in some] for some in groups.values()]
    sums = np.column_stack([reduce(np.add, added.T[places]) for places in members])
    top = np.argsort(-sums, axis=1, kind="stable")[:, : settings.most]  # equal ones by the name of their group
    sizes = np.take_along_axis(sums, top, axis=1)
    is_told = sizes > LEAST
    words = np.empty(top.shape, dtype=object)
    for group in np.unique(top[is_told]).tolist():
        at, ranks = np.nonzero((top == group) & is_told)
        leading = np.array(members[group])[np.argmax(added[at][:, members[group]], axis=1)]
        wording = settings.wording.get(list(groups)[group])
        words[at, ranks] = wording or _words(predictor, columns, at, [names[place] for place in leading])
    counts = is_told.sum(axis=1).tolist()
    named = np.array(list(groups), dtype=object)[top]
    return Reasons(_first(named, counts), _first(words, counts), _first(sizes, counts))


def reason_groups(predictor: Predictor) -> dict[str, list[str]]:
    """Return the features of each group, by the name of the group."""
    found: dict[str, list[str]] = {}
    for name in (*predictor.numeric, *predictor.categorical):
        found.setdefault(str(_description(predictor, name)["group"]), []).append(name)
    return dict(sorted(found.items()))


def notice(reasons: Sequence[str], settings: ReasonSettings) -> list[str]:
    """Return the lines that an applicant is told: the policy's opening, the reasons by number, the policy's notice.

    >>> notice(["few orders"], ReasonSettings(opening="We could not approve this because of:"))
    ['We could not approve this because of:', '1. few orders']
    """
    numbered = [f"{number}. {words}" for number, words in enumerate(reasons, start=1)]
    return [line for line in (settings.opening, *numbered, settings.notice) if line]


def _description(predictor: Predictor, name: str) -> Mapping[str, Any]:
    """Return what the model's card says of a feature; one of before cards described them has its name."""
    return predictor.meanings.get(name) or vars(default_meaning(name)) | {"usual": None}


def _first(table: NDArray[Any], counts: Sequence[int]) -> list[list[Any]]:
    return [row[:count] for row, count in zip(table.tolist(), counts, strict=True)]


def _words(
    predictor: Predictor, columns: Columns, rows: NDArray[np.intp], leading: Sequence[str]
) -> NDArray[np.object_]:
    """Return of some rows what the leading feature of each says in words."""
    words, named = np.empty(len(rows), dtype=object), np.array(leading, dtype=object)
    for name in dict.fromkeys(leading):
        at = np.flatnonzero(named == name)
        words[at] = _told(_description(predictor, name), columns[name], rows[at])
    return words


def _told(described: Mapping[str, Any], values: Any, rows: NDArray[np.intp]) -> NDArray[np.object_]:
    """Return the meaning of a feature, and how its value in each row lies to the usual one where that can be said."""
    meaning, usual = described["meaning"], described["usual"]
    if isinstance(values, served.Levels):
        return _of_each(values.codes[rows] < 0, f"{meaning} (not known)", meaning)
    asked = values[rows]
    if asked.dtype == object:
        return _of_each(np.array([one is None for one in asked], bool), f"{meaning} (not known)", meaning)
    words = _of_each(np.isnan(asked), f"{meaning} (not known)", meaning)
    if usual is not None:
        words[asked > usual] = f"{meaning} (higher than usual)"
        words[asked < usual] = f"{meaning} (lower than usual)"
    return words


def _of_each(condition: NDArray[np.bool_], then: str, otherwise: str) -> NDArray[np.object_]:
    return np.array([otherwise, then], dtype=object)[condition.astype(np.intp)]
