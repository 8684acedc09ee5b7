"""Sums over what was known and still counted at a moment: two running sums and two searches, whatever the window.

An event enters when it becomes known and leaves when its window ends. At time t the ones to sum are those with

    entered < t <= leaves

which is (all that entered before t) minus (all that left before t). Both are running sums in time order, so a question
costs two binary searches, not a pass over the window, and one customer of many thousand orders costs no more than many
customers of a few. Sums are int64 and may wrap around on the way: the difference of two wrapped sums is exact as long
as it fits itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.features.columns import MISSING, Integers


@dataclass(frozen=True)
class Clock:
    """Orders moments of several customers on one line of int64: customer first, then time.

    Every moment lies between `first` and `last` (microseconds); what lies outside is moved to the nearer end.
    """

    first: int
    last: int

    @property
    def span(self) -> int:
        """The length of one customer's part of the line."""
        return self.last - self.first + 1

    @property
    def most_customers(self) -> int:
        """So many customers fit on one line."""
        return int(np.iinfo(np.int64).max // self.span - 1)

    def place(self, customer: Integers, moment: Integers) -> Integers:
        """Return the place of each customer's moment; customers count from 0."""
        return customer * self.span + (np.clip(moment, self.first, self.last) - self.first)


FOREVER = np.iinfo(np.int64).max
"""The end of what never ends."""


@dataclass(frozen=True)
class Facts:
    """Events of customers: whose, when they happened, became known and ended (microseconds), each of shape (n,).

    `weights` are what may be summed, by name. Nothing is known before it happens. `source` is the row of the table that
    each comes from, for facts that a moment may leave out.
    """

    customer: Integers
    happened: Integers
    known: Integers
    ended: Integers
    weights: Mapping[str, Integers]
    source: Integers | None = None

    def __len__(self) -> int:
        return len(self.customer)

    def take(self, rows: NDArray[Any]) -> "Facts":
        """Return some of the facts, by place or by mask."""
        weights = {name: values[rows] for name, values in self.weights.items()}
        source = None if self.source is None else self.source[rows]
        return Facts(self.customer[rows], self.happened[rows], self.known[rows], self.ended[rows], weights, source)


@dataclass(frozen=True)
class Moments:
    """The moments to sum at: whose, and when (microseconds), each of shape (m,).

    `without` is the source of the facts that each moment leaves out, -1 for none: the order that a loan finances.
    """

    customer: Integers
    at: Integers
    without: Integers | None = None

    def __len__(self) -> int:
        return len(self.customer)


class ActiveSums:
    """Sums of facts at moments, over one or several lists of facts.

    Facts that became known as they happened leave in the order in which they came, whatever the window, so that one
    running sum serves all windows. A list that mixes late ones in needs a sum for each: keep these in a list apart.
    """

    def __init__(self, lists: Sequence[Facts], clock: Clock) -> None:
        self._parts = [_InOrder(facts, clock) for facts in lists if len(facts)]

    def within(self, length: int, names: Iterable[str], moments: Moments) -> dict[str, Integers]:
        """Return, per weight, its sum over what was known and happened at most `length` microseconds before."""
        return self._sum([part.until(part.window_ends(length), names, moments) for part in self._parts], names, moments)

    def standing(self, names: Iterable[str], moments: Moments) -> dict[str, Integers]:
        """Return, per weight, its sum over what was known and had not ended before."""
        return self._sum([part.until(part.ends(), names, moments) for part in self._parts], names, moments)

    def latest(self, moments: Moments) -> Integers:
        """Return when the latest of the known facts happened; MISSING where none was known."""
        moment = [part.latest(moments) for part in self._parts]
        return np.asarray(np.max([np.full(len(moments), MISSING), *moment], axis=0))

    @staticmethod
    def _sum(parts: Sequence[dict[str, Integers]], names: Iterable[str], moments: Moments) -> dict[str, Integers]:
        if len(parts) == 1:
            return parts[0]
        nothing = np.zeros(len(moments), np.int64)
        return {name: sum((part[name] for part in parts), nothing) for name in names}


class _InOrder:
    """Facts in the order in which they became known, with the running sums that were asked for."""

    def __init__(self, facts: Facts, clock: Clock) -> None:
        entered = clock.place(facts.customer, facts.known)
        order = _order(entered)
        self.facts = facts if order is None else facts.take(order)
        self._entered = entered if order is None else entered[order]
        self._clock = clock
        self._running: dict[str, Integers] = {}

    def window_ends(self, length: int) -> Integers:
        return np.maximum(self.facts.known, self.facts.happened + length)

    def ends(self) -> Integers:
        """Return when facts end; one that had ended before it was known never counts."""
        return np.maximum(self.facts.known, self.facts.ended)

    def until(self, ends: Integers, names: Iterable[str], moments: Moments) -> dict[str, Integers]:
        """Return the sums over facts with known < moment <= ends."""
        questions = self._clock.place(moments.customer, moments.at)
        leaves = self._clock.place(self.facts.customer, ends)
        order = _order(leaves)
        came = np.searchsorted(self._entered, questions, side="left")
        went = np.searchsorted(leaves if order is None else leaves[order], questions, side="left")
        sums = {name: self._running_sum(name)[came] - self._left(name, order)[went] for name in names}
        if (own := self._left_out(moments)) is not None:
            is_active = (own >= 0) & (self._entered[own] < questions) & (questions <= leaves[own])
            sums = {name: total - np.where(is_active, self.facts.weights[name][own], 0) for name, total in sums.items()}
        return sums

    def _left_out(self, moments: Moments) -> NDArray[np.intp] | None:
        """Return the fact that each moment leaves out, -1 for none of these."""
        if moments.without is None or self.facts.source is None:
            return None
        fact_of = np.full(max(int(self.facts.source.max()), int(moments.without.max())) + 2, -1)
        fact_of[self.facts.source] = np.arange(len(self.facts))
        return np.asarray(fact_of[moments.without])

    def _left(self, name: str, order: NDArray[np.intp] | None) -> Integers:
        return self._running_sum(name) if order is None else running_sum(self.facts.weights[name][order])

    def _running_sum(self, name: str) -> Integers:
        if name not in self._running:
            self._running[name] = running_sum(self.facts.weights[name])
        return self._running[name]

    def latest(self, moments: Moments) -> Integers:
        """Return when the latest of each customer's facts known before a moment happened."""
        places = self._clock.place(self.facts.customer, self.facts.happened)
        best = np.maximum.accumulate(places)
        came = np.searchsorted(self._entered, self._clock.place(moments.customer, moments.at), side="left") - 1
        latest = best[np.maximum(came, 0)]
        if (own := self._left_out(moments)) is not None:
            second = np.maximum.accumulate(np.minimum(places, np.concatenate([[-1], best[:-1]])))
            is_latest = (own >= 0) & (own <= came) & (places[own] == latest)
            latest = np.where(is_latest, second[np.maximum(came, 0)], latest)
        moment = latest - moments.customer * self._clock.span
        return np.where((came < 0) | (moment < 0), MISSING, moment + self._clock.first)


def _order(places: Integers) -> NDArray[np.intp] | None:
    return None if bool(np.all(places[1:] >= places[:-1])) else np.argsort(places, kind="stable")


def running_sum(values: Integers) -> Integers:
    """Return the sums of the first 0, 1, ... n values, wrapping around where they must."""
    sums = np.empty(len(values) + 1, np.int64)
    sums[0] = 0
    np.cumsum(values, out=sums[1:])
    return sums
