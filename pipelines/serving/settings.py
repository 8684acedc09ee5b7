"""What a user can set about the service: the schema behind conf/serve.yaml."""

from dataclasses import dataclass, field
from enum import Enum

from pipelines.applications.settings import SegmentSettings
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
    """Limits on one request and one API key."""

    most_bytes: int = 1_000_000
    """Largest body of a request."""
    most_decisions: int = 200
    """Most decisions of one request."""
    decisions_per_second: float | None = 1000.0
    """Decisions per second and API key, divided among the workers; null: no limit."""
    body_seconds: float = 10.0
    """Seconds in which a request must arrive."""


@dataclass
class RollSettings:
    """When decisions move from the journal to the score log."""

    every_seconds: float = 300.0
    """Seconds between two moves."""
    at_rows: int = 50_000
    """Waiting decisions that start a move at once."""


@dataclass
class ServeSettings(VerbSettings):
    """Settings of `thinfile serve`."""

    action: ServeAction | None = None
    """What to do with API keys; without a word the service starts."""
    name: str | None = None
    """Name of the API key to make or revoke."""
    model: str = "credit_score"
    """Name in the registry."""
    policy: PolicySettings = field(default_factory=PolicySettings)
    """Policy pack."""
    data: SegmentSettings = field(default_factory=SegmentSettings)
    """Segments by which decisions are counted; values are features or members of the request's `segments` object."""
    shadow: int | None = None
    """Version whose scores are logged beside the champion's and never returned."""
    book: str | None = None
    """Folder of a prepared book; a request may then name a customer instead of features."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8000
    """Port to listen on."""
    workers: int | None = None
    """Processes; by default one per core."""
    follow_seconds: float = 2.0
    """Seconds between two looks at the registry for a new champion."""
    stop_seconds: int = 30
    """Seconds that open requests may take after SIGTERM."""
    limits: LimitSettings = field(default_factory=LimitSettings)
    """Limits on a request and an API key."""
    roll: RollSettings = field(default_factory=RollSettings)
    """When decisions move to the score log."""


def check_service(settings: ServeSettings) -> None:
    """Raise ConfigurationError for limits that no request can meet."""
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
        raise ConfigurationError(f"port must be between 0 and 65535, received {settings.port}; try 8000")
