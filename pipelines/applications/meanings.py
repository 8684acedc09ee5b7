"""What each feature means in plain words, and which features are given to an applicant as one reason."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.applications.settings import DataSettings, Source
from pipelines.errors import ConfigurationError, nearest
from pipelines.reading.special import code_columns


@dataclass(frozen=True)
class Meaning:
    """A noun phrase for reasons and reports, and the group of features that form one reason."""

    meaning: str
    group: str


def meanings_of(features: Sequence[str], data: DataSettings) -> dict[str, Meaning]:
    """Return the meaning of each feature: as declared, from the marketplace's catalogue, or its name in words."""
    catalogued = _of_marketplace(features) if data.source is Source.marketplace else {}
    usual = {name: catalogued.get(name) or default_meaning(name) for name in features}
    meanings = {
        name: Meaning(data.meanings.get(name, one.meaning), data.reason_groups.get(name, one.group))
        for name, one in usual.items()
    }
    numbers = {name: base for name, base in code_columns(data.special).items() if name in meanings}
    return meanings | {name: meanings.get(base) or default_meaning(base) for name, base in numbers.items()}


def default_meaning(name: str) -> Meaning:
    """Return the meaning of a feature without a description: its name in words, in a group of its own.

    >>> default_meaning("monthly_income")
    Meaning(meaning='monthly income', group='monthly_income')
    """
    return Meaning(re.sub(r"[\W_]+", " ", name).strip() or name, name)


def check_meanings(columns: Sequence[str], data: DataSettings) -> None:
    """Raise ConfigurationError for a meaning or a reason group of a column that the table does not have."""
    declared: dict[str, Mapping[str, str]] = {"meanings": data.meanings, "reason_groups": data.reason_groups}
    for setting, by_column in declared.items():
        for column in by_column:
            if column not in columns:
                raise ConfigurationError(
                    f"data.{setting} names '{column}', which is not a column of the table; {nearest(column, columns)}"
                )


def _of_marketplace(names: Sequence[str]) -> dict[str, Meaning]:
    from pipelines.features.catalogue import BASKET_CATEGORY
    from pipelines.features.named import features_named, reason_group

    meanings = {name: Meaning(one.meaning, reason_group(one)) for name, one in features_named(names).items()}
    return meanings | {BASKET_CATEGORY: Meaning("category of the financed order", BASKET_CATEGORY)}
