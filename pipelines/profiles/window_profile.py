"""Profiles of windows: counts in the frozen bins of a reference profile, which add up."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.dimensions import bare_name
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.profiles.reference_profile import ReferenceProfile
from pipelines.storage.fingerprint import fingerprint_record


@dataclass(frozen=True)
class WindowProfile:
    """The counts of a part of the log, overall and by segment; rows without a segment count in `overall` alone.

    `bins` names the frozen bins that were counted in: counts in other bins are not comparable.
    """

    bins: str
    overall: Tally
    segments: Mapping[str, Tally]

    def __add__(self, other: Self) -> "WindowProfile":
        names = sorted({*self.segments, *other.segments})
        segments = {name: self.segments.get(name, Tally()) + other.segments.get(name, Tally()) for name in names}
        return WindowProfile(self.bins, self.overall + other.overall, segments)

    def with_dimensions(self) -> "WindowProfile":
        """Return the counts with the segments of earlier versions under their new names.

        Earlier versions named a segment by its value alone (`web`); it is counted with the one segment of that value
        that has a dimension (`channel=web`), if there is one.
        """
        names = new_names(self.segments)
        segments: dict[str, Tally] = {}
        for name, tally in self.segments.items():
            segments[names.get(name, name)] = segments.get(names.get(name, name), Tally()) + tally
        return replace(self, segments=segments)

    def to_json(self) -> str:
        """Return the profile as text."""
        segments = {name: tally.record() for name, tally in sorted(self.segments.items())}
        return json.dumps({"bins": self.bins, "overall": self.overall.record(), "segments": segments})

    @classmethod
    def from_json(cls, text: str) -> "WindowProfile":
        """Return the profile that the text describes."""
        record = json.loads(text)
        segments = {name: Tally.of(record_of_segment) for name, record_of_segment in record["segments"].items()}
        return cls(record["bins"], Tally.of(record["overall"]), segments)


def new_names(segments: Collection[str]) -> dict[str, str]:
    """Return by the bare name of a segment the one that has a dimension, where exactly one of that value has.

    >>> new_names(["web", "channel=web", "app"])
    {'web': 'channel=web'}
    """
    values: dict[str, list[str]] = {}
    for name in segments:
        values.setdefault(bare_name(name), []).append(name)
    return {name: values[name][0] for name in segments if "=" not in name and len(values.get(name, ())) == 1}


def name_of_bins(profile: ReferenceProfile) -> str:
    """Return a name that two reference profiles share when they count in the same bins."""
    return name_of(profile.bins)


@lru_cache(maxsize=8)
def name_of(bins: tuple[FrozenBins, ...]) -> str:
    """Return the name of bins."""
    return fingerprint_record([[one.column, one.levels, one.rare, one.lowest, one.highest, one.edges] for one in bins])
