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
    """What alarms of one level do.

    `exit_code` lets the command end with 3. `webhook` posts the event to webhook.url, where there is one. `event_file`
    writes it into the folder `events`. `retraining` opens a new search; no model is ever promoted by an alarm.
    """

    exit_code: bool = True
    webhook: bool = True
    event_file: bool = True
    retraining: Retraining = Retraining.write


@dataclass
class CoolDownSettings:
    """How long the same alarm, or a lesser one, is quiet after it acted: `periods` (months) after, or `days` by clock.

    The longer of both counts; 0 and 0 lets each alarm act. An `acknowledged` alarm is quiet for so many periods.
    """

    periods: int = 3
    days: float = 0.0
    acknowledged: int = 6


@dataclass
class WebhookSettings:
    """Where an event is posted to: `url`, none for nowhere.

    The body is signed with the key in the environment variable that `secret_from` names; null sends it unsigned. An
    attempt is given up after `timeout` seconds without a byte; up to `attempts` are made, the pause between them
    doubling from `backoff` seconds.
    """

    url: str | None = None
    secret_from: str | None = "THINFILE_WEBHOOK_SECRET"
    timeout: float = 10.0
    attempts: int = 4
    backoff: float = 1.0


@dataclass
class RetrainSettings:
    """Further overrides of the two commands that open a retraining.

    `prepare` is for `thinfile prepare` (of models of a marketplace), `tune` for `thinfile tune experiment=retrain`.
    What the alarmed model's own search says of its data and its candidate is there already.
    """

    prepare: list[str] = field(default_factory=list)
    tune: list[str] = field(default_factory=list)


@dataclass
class AlarmPolicySettings:
    """The action policy: what a `watch` and what an `act` does, how long it is quiet then, and how it is told.

    `events` is the folder of event files, by default `alarms` in the workspace.
    """

    watch: LevelActions = field(default_factory=lambda: LevelActions(False, False, True, Retraining.none))
    act: LevelActions = field(default_factory=LevelActions)
    cool_down: CoolDownSettings = field(default_factory=CoolDownSettings)
    webhook: WebhookSettings = field(default_factory=WebhookSettings)
    retrain: RetrainSettings = field(default_factory=RetrainSettings)
    events: str | None = None


def check_alarms(settings: AlarmPolicySettings) -> None:
    """Raise ConfigurationError for what cannot be: a negative duration, no attempt, an address that is none."""
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
