"""What a user can set about the service: the schema behind conf/serve.yaml."""

from dataclasses import dataclass, field
from enum import Enum

from pipelines.command.verb import VerbSettings
from pipelines.errors import ConfigurationError
from pipelines.policy.pack import PolicySettings


class ServeAction(Enum):
    """What may follow `thinfile serve`: `key` makes an API key, `keys` lists them, `revoke` ends one."""

    key = "key"
    keys = "keys"
    revoke = "revoke"


@dataclass
class LimitSettings:
    """What one request, and one API key, may ask.

    `most_bytes` bounds a request's body, `most_decisions` a batch. `decisions_per_second` holds for each key and is
    divided evenly among the workers, so that a key whose requests all meet one worker gets its share only; None: no
    limit. `body_seconds` is how long a request may take to arrive.
    """

    most_bytes: int = 1_000_000
    most_decisions: int = 200
    decisions_per_second: float | None = 1000.0
    body_seconds: float = 10.0


@dataclass
class RollSettings:
    """When decisions go from the journal to the score log: after `every_seconds`, or when `at_rows` wait."""

    every_seconds: float = 300.0
    at_rows: int = 50_000


@dataclass
class ServeSettings(VerbSettings):
    """`shadow` is a version whose scores are logged beside the champion's and never answered.

    `workers` processes share one port, by default as many as there are cores. `follow_seconds` is how often the
    registry is asked who is champion. `stop_seconds` is how long requests under way may take after SIGTERM. `name` is
    that of the API key to make or to revoke. `book` is the folder of a prepared book: then a request may name a
    customer in place of the features.
    """

    action: ServeAction | None = None
    name: str | None = None
    model: str = "credit_score"
    policy: PolicySettings = field(default_factory=PolicySettings)
    shadow: int | None = None
    book: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int | None = None
    follow_seconds: float = 2.0
    stop_seconds: int = 30
    limits: LimitSettings = field(default_factory=LimitSettings)
    roll: RollSettings = field(default_factory=RollSettings)


def check_service(settings: ServeSettings) -> None:
    """Raise ConfigurationError for limits under which nothing could be answered."""
    limits, roll, rate = settings.limits, settings.roll, settings.limits.decisions_per_second
    for name, value, least in (
        ("workers", 1 if settings.workers is None else settings.workers, 1),
        ("follow_seconds", settings.follow_seconds, 0.1),
        ("stop_seconds", settings.stop_seconds, 1),
        ("limits.most_bytes", limits.most_bytes, 1000),
        ("limits.most_decisions", limits.most_decisions, 1),
        ("limits.decisions_per_second", 1 if rate is None else rate, 0.001),
        ("limits.body_seconds", limits.body_seconds, 0.1),
        ("roll.every_seconds", roll.every_seconds, 0.1),
        ("roll.at_rows", roll.at_rows, 1),
    ):
        if not value >= least:
            raise ConfigurationError(f"{name} must be at least {least:g}, received {value:g}; raise it")
    if not 0 <= settings.port < 65536:
        raise ConfigurationError(f"port must lie between 0 and 65535, received {settings.port}; try 8000")
