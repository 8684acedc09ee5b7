"""The observation of a book: its time and its reference loan."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pipelines.errors import ConfigurationError, RequestError
from pipelines.features.settings import FeatureSettings
from pipelines.marketplace.loan_rules import LoanRules
from pipelines.marketplace.settings import PrepareSettings, ReferenceLoan
from pipelines.marketplace.tables import LARGEST_AMOUNT


@dataclass(frozen=True)
class Observation:
    """The application that every customer is assumed to make: at `at`, UTC without a zone, for the `loan`.

    `name` is that of the book's folder: a day, or a day and time in UTC. Features use what was known strictly before
    `known_before`, which is the feature lag earlier, as for real applications.
    """

    name: str
    at: datetime
    lag: timedelta
    loan: ReferenceLoan

    @property
    def known_before(self) -> datetime:
        """The end of the history that features use."""
        return self.at - self.lag


def observation_of(settings: PrepareSettings) -> Observation:
    """Return the observation that the settings declare; the features must have the shoppers' time zone.

    Raises:
        ConfigurationError: no observation time, or one that is not an ISO date or time; a reference loan that breaks
            the contract of applications.
    """
    check_reference(settings.reference, LoanRules.of(settings.loan))
    if settings.observed_at is None:
        raise ConfigurationError(
            "observed_at is not set, and a book needs an observation time; add for example observed_at=2026-10-01"
        )
    observed_at = settings.observed_at
    at = moment_of(observed_at, settings.reference.hour, settings.features)
    name = observed_at if _is_date(observed_at) else f"{at:%Y-%m-%dT%H%M%S}"
    return Observation(name, at, timedelta(days=settings.loan.feature_lag_days), settings.reference)


def moment_of(text: str, hour: int, features: FeatureSettings) -> datetime:
    """Return an ISO date at that hour of the shoppers' clocks, or an ISO time, as UTC without a zone.

    >>> moment_of("2026-10-01", 12, FeatureSettings(time_zone="Europe/Berlin"))
    datetime.datetime(2026, 10, 1, 10, 0)
    >>> moment_of("2026-10-01T00:00+02:00", 12, FeatureSettings())
    datetime.datetime(2026, 9, 30, 22, 0)
    """
    if _is_date(text):
        local = datetime.combine(date.fromisoformat(text), time(hour), ZoneInfo(features.clock))
        return local.astimezone(UTC).replace(tzinfo=None)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"observed_at is '{text}'; write an ISO date or time such as 2026-10-01") from None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def check_reference(loan: ReferenceLoan, rules: LoanRules) -> None:
    """Raise ConfigurationError for a loan that breaks the contract of applications, or an invalid hour."""
    check_asked(loan.amount, loan.term, rules, ConfigurationError, "reference.")
    if not 0 <= loan.hour <= 23:
        raise ConfigurationError(f"reference.hour is {loan.hour}; set 0 to 23 (12 is noon)")


def check_asked(amount: int, term: int, rules: LoanRules, error: type[RequestError], prefix: str = "") -> None:
    """Raise an error for an amount or a term that breaks the contract of applications."""
    if not 0 < amount <= LARGEST_AMOUNT:
        raise error(f"{prefix}amount is {amount}; use minor units, above 0 and at most {LARGEST_AMOUNT:,}")
    if term not in rules.terms:
        raise error(f"{prefix}term is {rules.allowed_terms}, received {term}; correct it")


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
