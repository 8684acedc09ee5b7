"""What a user declares of features: what to say of a history, and over which windows."""

import re
from dataclasses import dataclass, field
from enum import Enum

from pipelines.errors import ConfigurationError


class What(Enum):
    """One thing to say of a customer's history; each is said once for every window."""

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
    instalments = "instalments"
    application = "application"


@dataclass
class FeatureSettings:
    """`what` is said over each of `windows` (days). Levels of categories, channels and payment methods are declared.

    They are not read from the data: a level that becomes frequent later would change the features of an earlier
    application. Undeclared levels count as `other`. `time_zone` is that of the shoppers' clocks, by default that of
    times that are written without one: night is before `night_until`, payday from `payday_from` to `payday_until` (day
    of the month) across the month's end.
    """

    what: list[What] = field(default_factory=lambda: list(What))
    windows: list[int] = field(default_factory=lambda: [30, 90, 180, 365])
    categories: list[str] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    payment_methods: list[str] = field(default_factory=list)
    time_zone: str | None = None
    night_until: int = 6
    payday_from: int = 25
    payday_until: int = 3

    @property
    def clock(self) -> str:
        """The time zone of the shoppers' clocks; UTC where none is given."""
        return self.time_zone or "UTC"


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
        raise ConfigurationError("features.what must name something to say, received nothing; use for example [amount]")
    if not settings.windows or min(settings.windows) < 1 or len(set(settings.windows)) < len(settings.windows):
        raise ConfigurationError(
            f"features.windows must be different numbers of days, received {settings.windows}; use for example [30,365]"
        )
    for name in ("categories", "channels", "payment_methods"):
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
