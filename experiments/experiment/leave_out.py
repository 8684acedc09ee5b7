"""Leaves features out of a sample by their groups."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipelines.applications.meanings import Meaning, default_meaning, meanings_of
from pipelines.applications.settings import DataSettings, Source
from pipelines.applications.sources import source_path
from pipelines.candidates.sample import Sample
from pipelines.errors import ConfigurationError, listed, nearest
from pipelines.marketplace.manifest import manifest_beside

MOST_GROUPS = 30
"""So many groups are listed in a message."""


def without_features(sample: Sample, left_out: Sequence[str]) -> Sample:
    """Return a sample without the features that are named, by their own names or those of their groups.

    Raises:
        ConfigurationError: a name is neither that of a feature nor of a group, or no feature is left.
    """
    if not left_out:
        return sample
    features = (*sample.numeric, *sample.categorical)
    groups = {name: _group(name, sample.meanings) for name in features}
    _check(left_out, groups)
    removed = {name for name in features if name in left_out or groups[name] in left_out}
    if len(removed) == len(features):
        raise ConfigurationError(f"leave_out={_list(left_out)} leaves no feature; name fewer groups")
    numeric = tuple(name for name in sample.numeric if name not in removed)
    categorical = tuple(name for name in sample.categorical if name not in removed)
    return replace(
        sample,
        columns={name: sample.columns[name] for name in (*numeric, *categorical)},
        numeric=numeric,
        categorical=categorical,
        directions={name: sign for name, sign in sample.directions.items() if name not in removed},
    )


def declared_groups(data: DataSettings) -> list[str]:
    """Return the groups of features that are known before a table is read.

    Those of a marketplace are in the manifest of its training table, with groups of the user's own; a flat table has
    those of data.reason_groups.

    Raises:
        DataError: the marketplace has no training table yet.
        ConfigurationError: there are no groups.
    """
    groups = set(data.reason_groups.values())
    if data.source is Source.marketplace:
        source_path(data)
        features = [str(feature["name"]) for feature in manifest_beside(data).get("features", ())]
        groups |= {meaning.group for meaning in meanings_of(features, data).values()}
    if not groups:
        raise ConfigurationError(
            "the table has no groups of features to leave out one by one; declare them with "
            "'data.reason_groups={FEATURE: GROUP}', or name features: 'leave_out=[],[FEATURE],[FEATURE]'"
        )
    return sorted(groups)


def _check(left_out: Sequence[str], groups: Mapping[str, str]) -> None:
    for name in left_out:
        if name not in groups and name not in groups.values():
            names = {*groups, *groups.values()}
            hint = nearest(name, names)
            if not hint.startswith("did you mean"):
                hint = f"groups: {listed(sorted(set(groups.values())), MOST_GROUPS)}"
            raise ConfigurationError(f"leave_out names '{name}', which is no feature and no group of features; {hint}")


def _group(name: str, meanings: Mapping[str, Meaning]) -> str:
    return meanings.get(name, default_meaning(name)).group


def _list(names: Sequence[str]) -> str:
    return f"[{','.join(names)}]"
