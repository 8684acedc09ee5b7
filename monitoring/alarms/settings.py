"""What a user can set about what an alarm does: the schema behind conf/alarms/."""

from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlsplit

from pipelines.errors import ConfigurationError

SCHEMES = ("http", "https")


class Retraining(Enum):
    """What is done about a retraining: nothing, its commands are written out, or they are started as well."""

    none = "none"
    write = "write"
    start = "start"


@dataclass
class LevelActions:
    """What alarms of one level do. An alarm never promotes a model."""

    exit_code: bool = True
    """End the command with exit code 3."""
    webhook: bool = True
    """Post the event to webhook.url, where there is one."""
    event_file: bool = True
    """Write the event into the folder `events`."""
    retraining: Retraining = Retraining.write
    """Do nothing, write the commands of a retraining, or start them."""


@dataclass
class CoolDownSettings:
    """How long an alarm is quiet after it acted; the longer of both counts, 0 and 0 lets each alarm act."""

    periods: int = 3
    """Quiet periods."""
    days: float = 0.0
    """Quiet days."""
    acknowledged: int = 6
    """Quiet periods of an acknowledged alarm."""


@dataclass
class WebhookSettings:
    """Where an event is posted."""

    url: str | None = None
    """Address; null for none."""
    secret_from: str | None = "THINFILE_WEBHOOK_SECRET"
    """Environment variable with the signing key; null sends the event unsigned."""
    timeout: float = 10.0
    """Seconds without a byte after which an attempt ends."""
    attempts: int = 4
    """Attempts."""
    backoff: float = 1.0
    """Seconds before the second attempt; the pause doubles each time."""


@dataclass
class RetrainSettings:
    """Further overrides of the two commands of a retraining."""

    prepare: list[str] = field(default_factory=list)
    """Overrides of `thinfile prepare`."""
    tune: list[str] = field(default_factory=list)
    """Overrides of `thinfile tune experiment=retrain`."""


@dataclass
class AlarmPolicySettings:
    """What an alarm does."""

    watch: LevelActions = field(default_factory=lambda: LevelActions(False, False, True, Retraining.none))
    """Actions at watch level."""
    act: LevelActions = field(default_factory=LevelActions)
    """Actions at act level."""
    cool_down: CoolDownSettings = field(default_factory=CoolDownSettings)
    """How long an alarm is quiet after it acted."""
    webhook: WebhookSettings = field(default_factory=WebhookSettings)
    """Where an event is posted."""
    retrain: RetrainSettings = field(default_factory=RetrainSettings)
    """Overrides of a retraining."""
    events: str | None = None
    """Folder of event files; by default `alarms` in the workspace."""


def check_alarms(settings: AlarmPolicySettings) -> None:
    """Raise ConfigurationError for a negative duration, no attempt, or an invalid address."""
    cool, hook = settings.cool_down, settings.webhook
    least = {
        "cool_down.periods": (cool.periods, 0),
        "cool_down.days": (cool.days, 0),
        "cool_down.acknowledged": (cool.acknowledged, 0),
        "webhook.attempts": (hook.attempts, 1),
        "webhook.backoff": (hook.backoff, 0),
        "webhook.timeout": (hook.timeout, 0.001),
    }
    for name, (value, smallest) in least.items():
        if not value >= smallest:
            raise ConfigurationError(f"alarms.{name} must be at least {smallest}, received {value}; raise it")
    if hook.url is not None and not _is_address(hook.url):
        raise ConfigurationError(
            "alarms.webhook.url must be an http or https address with a host, received another (it is not shown: it "
            "may hold a key); correct it, or null for no webhook"
        )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in SCHEMES and bool(parts.hostname) and not any(one.isspace() for one in url)
