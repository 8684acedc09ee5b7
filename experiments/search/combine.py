"""Combines trials of a study: averages of one configuration and greedy blends of several, within a cost per row."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

from pipelines.credit.discrimination import auc

MOST_TRIES = 4
"""A blend is picked anew without the most expensive member, the two most expensive ones, and so on, so many times."""

MOST_PICKS = 15
"""A blend is picked in so many steps; a member's weight is its share of them."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Member:
    """A trial that may be a part of a blend: its number, its log-odds by fold, and what it costs.

    `cost` is what it adds to a blend, in microseconds per row on one core.
    """

    number: int
    log_odds: Sequence[Floats]
    cost: float


@dataclass(frozen=True)
class Gain:
    """How much a blend is ahead of the best single member, in AUC out of fold, with the standard error."""

    mean: float
    standard_error: float

    @property
    def is_real(self) -> bool:
        """Whether it exceeds its standard error."""
        return self.mean > self.standard_error


def pick(members: Sequence[Member], bad: Sequence[NDArray[np.int8]], max_cost: float = inf) -> dict[int, float]:
    """Return the weights of a blend by trial number, picked greedily for the mean AUC over the folds.

    `bad` are the outcomes by fold. What would raise the cost above `max_cost` is not picked. One expensive member may
    leave nothing for others: where not all can be paid for, blends without the most expensive ones are picked too, and
    the best one counts.
    """
    by_cost = sorted(members, key=lambda member: member.cost)
    tries = 1 if sum(member.cost for member in members) <= max_cost else min(MOST_TRIES, len(members))
    allowed = [{member.number for member in by_cost[: len(members) - dropped]} for dropped in range(tries)]
    picked = [_greedy([member for member in members if member.number in some], bad, max_cost) for some in allowed]
    return max(picked, key=lambda weights: blend_value(members, weights, bad) if weights else -inf, default={})


def _greedy(members: Sequence[Member], bad: Sequence[NDArray[np.int8]], max_cost: float) -> dict[int, float]:
    """Return weights: members are added one at a time, with replacement, and the best prefix of the picks counts.

    Caruana, Niculescu-Mizil, Crew and Ksikes (2004).
    """
    chosen: list[int] = []
    best, length, total = -inf, 0, [np.zeros(len(one)) for one in bad]
    while len(chosen) < MOST_PICKS:
        spent = sum(members[index].cost for index in set(chosen))
        scores = [
            _value([sums + one for sums, one in zip(total, member.log_odds, strict=True)], bad)
            if index in chosen or spent + member.cost <= max_cost
            else -inf
            for index, member in enumerate(members)
        ]
        index = int(np.argmax(scores))
        if scores[index] == -inf:
            break
        chosen.append(index)
        total = [sums + one for sums, one in zip(total, members[index].log_odds, strict=True)]
        if scores[index] > best:
            best, length = scores[index], len(chosen)
    kept = chosen[:length]
    return {members[index].number: kept.count(index) / length for index in sorted(set(kept))}


def blend_value(members: Sequence[Member], weights: Mapping[int, float], bad: Sequence[NDArray[np.int8]]) -> float:
    """Return the mean AUC over the folds of a blend."""
    return fmean(_fold_values(members, weights, bad))


def gain(members: Sequence[Member], bad: Sequence[NDArray[np.int8]], folds: int, max_cost: float = inf) -> Gain:
    """Return how much blending gains on folds that had no part in picking: each is scored with the others' choices.

    `folds` is the number of folds of one division of the rows; `bad` may have those of several, one after the other.
    Those of other divisions have rows of the fold, and no part in its choice. The standard error counts one division.
    """
    gains = []
    for fold in range(len(bad)):
        first = fold // folds * folds
        others = [number for number in range(first, first + folds) if number != fold]
        seen, outcomes = [_on(member, others) for member in members], [bad[number] for number in others]
        weights = pick(seen, outcomes, max_cost)
        single = max(seen, key=lambda member: (_value(member.log_odds, outcomes), -member.number))
        held = [_on(member, [fold]) for member in members]
        gains.append(
            _fold_values(held, weights, [bad[fold]])[0] - _fold_values(held, {single.number: 1.0}, [bad[fold]])[0]
        )
    return Gain(fmean(gains), stdev(gains) / sqrt(folds) if folds > 1 else inf)


def _on(member: Member, folds: Collection[int]) -> Member:
    return Member(member.number, [member.log_odds[fold] for fold in folds], member.cost)


def _fold_values(
    members: Sequence[Member], weights: Mapping[int, float], bad: Sequence[NDArray[np.int8]]
) -> list[float]:
    parts = [(weights[member.number], member) for member in members if member.number in weights]
    return [
        auc(outcomes, np.asarray(sum(weight * member.log_odds[fold] for weight, member in parts)))
        for fold, outcomes in enumerate(bad)
    ]


def _value(log_odds: Sequence[Floats], bad: Sequence[NDArray[np.int8]]) -> float:
    return fmean(auc(outcomes, one) for outcomes, one in zip(bad, log_odds, strict=True))
