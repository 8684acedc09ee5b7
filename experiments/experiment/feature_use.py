"""How far a trial uses each group of features, as parameters that a study can search: 10 is fully, 0 is not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipelines.candidates.candidate import Candidate
from pipelines.candidates.sample import Sample
from pipelines.candidates.weakened import WeakenedCandidate

Group = tuple[str, ...]
Parameters = Mapping[str, float | int]

USE = "use/"
"""What the name of such a parameter begins with; the first feature of the group follows."""

FULL_USE = 10


def use_of(group: Group) -> str:
    """Return the name of the parameter that says how far a group is used.

    >>> use_of(("spent_30d", "spent_90d"))
    'use/spent_30d'
    """
    return USE + group[0]


def is_use(name: str) -> bool:
    """Return whether a parameter says how far a group is used."""
    return name.startswith(USE)


def has_uses(parameters: Parameters) -> bool:
    """Return whether parameters say how far features are used."""
    return any(map(is_use, parameters))


def without_uses(parameters: Parameters) -> dict[str, float | int]:
    """Return the parameters of the candidate itself."""
    return {name: value for name, value in parameters.items() if not is_use(name)}


def dropped(groups: Sequence[Group], parameters: Parameters) -> list[str]:
    """Return the features that are not used at all."""
    return [feature for group in groups if _use(group, parameters) == 0 for feature in group]


def weakened(groups: Sequence[Group], parameters: Parameters) -> dict[Group, float]:
    """Return the groups that are used in part, and by which share each is weakened."""
    uses = {group: _use(group, parameters) for group in groups}
    return {group: 1 - use / FULL_USE for group, use in uses.items() if 0 < use < FULL_USE}


def candidate_in_use(candidate: Candidate, groups: Sequence[Group], parameters: Parameters) -> Candidate:
    """Return a candidate that relies on groups only as far as the parameters say."""
    shares = weakened(groups, parameters)
    return WeakenedCandidate(candidate, shares) if shares else candidate


def sample_in_use(sample: Sample, groups: Sequence[Group], parameters: Parameters) -> Sample:
    """Return a sample without the features that are not used."""
    gone = set(dropped(groups, parameters))
    if not gone:
        return sample
    numeric, categorical = (tuple(name for name in one if name not in gone)
                            for one in (sample.numeric, sample.categorical))  # fmt: skip
    columns = {name: sample.columns[name] for name in (*numeric, *categorical)}
    return replace(sample, columns=columns, numeric=numeric, categorical=categorical)


def _use(group: Group, parameters: Parameters) -> float:
    return parameters.get(use_of(group), FULL_USE)
