"""Why an application was declined: the groups of features that raised its risk most, in plain words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.applications.meanings import default_meaning
from pipelines.candidates.portable_model import Columns, Floats, Levels, columns_of
from pipelines.model_store.predictor import Predictor
from pipelines.policy.pack import ReasonSettings
from pipelines.reading.special import AMOUNT

LEAST = 1e-9
"""A smaller contribution, in log-odds, is what rounding leaves of none."""

SCORE = "score below the cut-off"
"""The reason of an application to which no feature adds anything."""

FEW_ROWS = 16
"""Up to this many rows get their reasons one by one, which is faster for few rows than arrays are."""


@dataclass(frozen=True)
class Reasons:
    """Of n applications the groups that raised the risk, largest first, and the words for each.

    `sizes` is the sum of the contributions of the group's features, in log-odds. Where nothing raised the risk above
    that of the average applicant, the least favourable group is the only reason, with a size below 0, or `SCORE` where
    no group adds anything. Rows have no reasons where the model gives none.
    """

    groups: list[list[str]]
    words: list[list[str]]
    sizes: list[list[float]]


def reasons_of(predictor: Predictor, features: pd.DataFrame, settings: ReasonSettings) -> Reasons:
    """Return at most `settings.most` reasons for each application of a frame; see `ReasonTexts.reasons`."""
    contributions = predictor.contributions(features)
    columns = columns_of(features, predictor.numeric, predictor.categorical)
    return ReasonTexts(predictor, settings).reasons(columns, np.arange(len(features)), contributions)


class ReasonTexts:
    """The groups of a model's features and the words for them, ready to state reasons with."""

    def __init__(self, predictor: Predictor, settings: ReasonSettings) -> None:
        self._most = settings.most
        self._names = [*predictor.numeric, *predictor.categorical]
        groups, places = reason_groups(predictor), {name: index for index, name in enumerate(self._names)}
        self._groups = list(groups)
        self._members = [[places[name] for name in some] for some in groups.values()]
        wording = (settings.wording.get(group) for group in groups)
        self._wording = [words and str(words) for words in wording]  # plain texts, for those from the environment too
        self._described = [_description(predictor, name) for name in self._names]

    def reasons(self, columns: Columns, rows: NDArray[np.intp], contributions: tuple[float, Floats] | None) -> Reasons:
        """Return at most `settings.most` reasons of some rows, in the words of the policy where it has some.

        `contributions` are those of the model for these rows. Other words are the meaning of the group's feature that
        raised the risk most, and whether its value was higher or lower than usual among the applications that the model
        was learnt from. A special code is named in place of both.
        """
        count = len(rows)
        if contributions is None or not count:
            return Reasons([[]] * count, [[]] * count, [[]] * count)
        if count <= FEW_ROWS:
            stated = [self._of_row(columns, *one) for one in zip(rows.tolist(), contributions[1].tolist(), strict=True)]
            return Reasons(*(list(part) for part in zip(*stated, strict=True)))
        return self._of_many(columns, rows, contributions[1])

    def _of_row(self, columns: Columns, row: int, added: Sequence[float]) -> tuple[list[str], list[str], list[float]]:
        """Return groups, words and sizes of one row; sums are made as those of many rows are."""
        sums = [reduce(add, [added[index] for index in some]) for some in self._members]
        top = sorted(range(len(sums)), key=lambda group: -sums[group])[: self._most]
        stated = [group for group in top if sums[group] > LEAST]
        if not stated:
            return self._least_favourable(columns, row, added, sums)
        leading = [max(self._members[group], key=added.__getitem__) for group in stated]
        words = [
            self._wording[group]
            or _code(self._described[index], columns, row)
            or _word(self._described[index], columns[self._names[index]], row)
            for group, index in zip(stated, leading, strict=True)
        ]
        return [self._groups[group] for group in stated], words, [sums[group] for group in stated]

    def _of_many(self, columns: Columns, rows: NDArray[np.intp], added: Floats) -> Reasons:
        sums = np.column_stack([reduce(np.add, added.T[places]) for places in self._members])
        top = np.argsort(-sums, axis=1, kind="stable")[:, : self._most]  # equal ones by the name of their group
        sizes = np.take_along_axis(sums, top, axis=1)
        is_stated = sizes > LEAST
        words = np.empty(top.shape, dtype=object)
        for group in np.unique(top[is_stated]).tolist():
            at, ranks = np.nonzero((top == group) & is_stated)
            leading = np.array(self._members[group])[np.argmax(added[at][:, self._members[group]], axis=1)]
            words[at, ranks] = self._wording[group] or self._words(columns, rows[at], leading)
        counts = is_stated.sum(axis=1).tolist()
        named = np.array(self._groups, dtype=object)[top]
        stated = Reasons(_first(named, counts), _first(words, counts), _first(sizes, counts))
        for row in np.flatnonzero(~is_stated.any(axis=1)).tolist():
            alone = self._least_favourable(columns, int(rows[row]), added[row].tolist(), sums[row].tolist())
            stated.groups[row], stated.words[row], stated.sizes[row] = alone
        return stated

    def _least_favourable(
        self, columns: Columns, row: int, added: Sequence[float], sums: Sequence[float]
    ) -> tuple[list[str], list[str], list[float]]:
        """Return the only reason of a row in which no group raises the risk; nothing is said of higher or lower."""
        adding = [group for group, size in enumerate(sums) if size < -LEAST]
        if not adding:
            return [SCORE], [SCORE], [0.0]
        group = max(adding, key=sums.__getitem__)
        index = max(self._members[group], key=added.__getitem__)
        described = {**self._described[index], "usual": None}
        words = _code(described, columns, row) or _word(described, columns[self._names[index]], row)
        return [self._groups[group]], [self._wording[group] or words], [sums[group]]

    def _words(self, columns: Columns, rows: NDArray[np.intp], leading: NDArray[np.intp]) -> NDArray[np.object_]:
        words = np.empty(len(rows), dtype=object)
        for index in np.unique(leading).tolist():
            at = np.flatnonzero(leading == index)
            described = self._described[index]
            words[at] = _phrases(described, columns[self._names[index]], rows[at])
            if "code" in described:
                words[at] = [
                    _code(described, columns, row) or usual for row, usual in zip(rows[at], words[at], strict=True)
                ]
        return words


def reason_groups(predictor: Predictor) -> dict[str, list[str]]:
    """Return the features of each group, by the name of the group."""
    groups: dict[str, list[str]] = {}
    for name in (*predictor.numeric, *predictor.categorical):
        groups.setdefault(str(_description(predictor, name)["group"]), []).append(name)
    return dict(sorted(groups.items()))


def notice(reasons: Sequence[str], settings: ReasonSettings) -> list[str]:
    """Return the lines for a declined applicant: the policy's opening, the reasons by number, the policy's notice.

    >>> notice(["few orders"], ReasonSettings(opening="We could not approve this because of:"))
    ['We could not approve this because of:', '1. few orders']
    """
    numbered = [f"{number}. {words}" for number, words in enumerate(reasons, start=1)]
    return [str(line) for line in (settings.opening, *numbered, settings.notice) if line]


def _description(predictor: Predictor, name: str) -> Mapping[str, Any]:
    """Return the model card's description of a feature; in older cards, which have none, a default one."""
    return predictor.meanings.get(name) or vars(default_meaning(name)) | {"usual": None}


def _first(table: NDArray[Any], counts: Sequence[int]) -> list[list[Any]]:
    return [row[:count] for row, count in zip(table.tolist(), counts, strict=True)]


def _code(described: Mapping[str, Any], columns: Columns, row: int) -> str | None:
    """Return the words for a special code that a row has in place of an amount, None for a row without one."""
    if "code" not in described:
        return None
    values = columns[described["code"]]
    if isinstance(values, Levels):
        level = values.names[values.codes[row]] if values.codes[row] >= 0 else None
    else:
        level = values[row]
    return None if level in (None, AMOUNT) else f"{described['meaning']} (code {level})"


def _phrases(described: Mapping[str, Any], values: Any, rows: NDArray[np.intp]) -> NDArray[np.object_]:
    """Return the meaning of a feature, and whether its value in each row is higher or lower than usual."""
    meaning, usual = described["meaning"], described["usual"]
    if isinstance(values, Levels):
        return _of_each(values.codes[rows] < 0, f"{meaning} (not known)", meaning)
    of_rows = values[rows]
    if of_rows.dtype == object:
        return _of_each(np.array([one is None for one in of_rows], bool), f"{meaning} (not known)", meaning)
    words = _of_each(np.isnan(of_rows), f"{meaning} (not known)", meaning)
    if usual is not None:
        words[of_rows > usual] = f"{meaning} (higher than usual)"
        words[of_rows < usual] = f"{meaning} (lower than usual)"
    return words


def _word(described: Mapping[str, Any], values: Any, row: int) -> str:
    """Return what `_phrases` does for one row."""
    meaning, usual = str(described["meaning"]), described["usual"]
    if isinstance(values, Levels):
        return f"{meaning} (not known)" if values.codes[row] < 0 else meaning
    value = values[row]
    if value is None or value != value:
        return f"{meaning} (not known)"
    if usual is None or isinstance(value, str) or value == usual:
        return meaning
    return f"{meaning} ({'higher' if value > usual else 'lower'} than usual)"


def _of_each(condition: NDArray[np.bool_], then: str, otherwise: str) -> NDArray[np.object_]:
    return np.array([otherwise, then], dtype=object)[condition.astype(np.intp)]
