"""The feature settings: families of features and windows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pipelines.credit.periods import Period
from pipelines.errors import ConfigurationError
from pipelines.secrets.environment_text import resolved


class What(Enum):
    """A family of features; computed for every window."""

    frequency = "frequency"
    amount = "amount"
    spread = "spread"
    trend = "trend"
    regularity = "regularity"
    recency = "recency"
    tenure = "tenure"
    diversity = "diversity"
    categories = "categories"
    returns = "returns"
    discounts = "discounts"
    timing = "timing"
    channels = "channels"
    payment_methods = "payment_methods"
    marketplaces = "marketplaces"
    instalments = "instalments"
    application = "application"


@dataclass
class FeatureSettings:
    """What is computed from the history of a customer.

    Levels are declared, not read from the data: a level that becomes frequent later would change the features of an
    earlier application.
    """

    what: list[What] = field(default_factory=lambda: list(What))
    """Families of features."""
    windows: list[int] = field(default_factory=lambda: [30, 90, 180, 365])
    """Lengths of the windows, in days."""
    categories: list[str] = field(default_factory=list)
    """Order categories with features of their own; the others count as `other`."""
    channels: list[str] = field(default_factory=list)
    """Channels with features of their own."""
    payment_methods: list[str] = field(default_factory=list)
    """Payment methods with features of their own."""
    marketplaces: list[str] = field(default_factory=list)
    """Marketplaces with features of their own, where customers shop in several."""
    time_zone: str | None = None
    """IANA time zone of the shoppers' clocks; by default `raw.time_zone`."""
    night_until: int = 6
    """Hour at which the night ends."""
    payday_from: int = 25
    """Day of the month on which payday begins."""
    payday_until: int = 3
    """Day of the next month on which payday ends."""
    term_period: Period = Period.month
    """Unit of the terms; `thinfile prepare` sets that of the loan contract."""

    @property
    def clock(self) -> str:
        """The time zone of the shoppers' clocks; UTC where none is given."""
        return self.time_zone or "UTC"


def recorded_features(record: Mapping[str, Any]) -> FeatureSettings:
    """Return settings from their record in a manifest."""
    record = resolved(record)
    what, period = [What(one) for one in record["what"]], Period(record.get("term_period", Period.month.value))
    return FeatureSettings(**{**record, "what": what, "term_period": period})


def name_of_level(level: str) -> str:
    """Return a level as part of a feature's name.

    >>> name_of_level("DRUG GM / Other")
    'drug_gm_other'
    """
    return re.sub("[^a-z0-9]+", "_", level.lower()).strip("_")


def check_features(settings: FeatureSettings) -> None:
    """Raise ConfigurationError for a declaration that says nothing, windows without a day, or an unknown time zone."""
    from zoneinfo import ZoneInfo

    if not settings.what:
        raise ConfigurationError("features.what is empty; use for example [amount]")
    if not settings.windows or min(settings.windows) < 1 or len(set(settings.windows)) < len(settings.windows):
        raise ConfigurationError(
            f"features.windows must be different numbers of days, received {settings.windows}; use for example [30,365]"
        )
    for name in ("categories", "channels", "payment_methods", "marketplaces"):
        levels = getattr(settings, name)
        if len({name_of_level(level) for level in levels} - {""}) < len(levels):
            raise ConfigurationError(
                f"features.{name} must have levels of different names, received {levels}; rename or remove some"
            )
    try:
        ZoneInfo(settings.clock)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(
            f"features.time_zone must be an IANA name, received '{settings.time_zone}'; use for example Europe/Berlin"
        ) from error
