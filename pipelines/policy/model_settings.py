"""Which models a policy trusts besides those that Thinfile reads with its own code, and the limits of their process."""

from dataclasses import dataclass, field

from pipelines.errors import ConfigurationError

LEAST_MEMORY = 1.0


@dataclass
class ModelSettings:
    """Which models may run code that is not Thinfile's own."""

    families: dict[str, str] = field(default_factory=dict)
    """Installed package that declares a candidate family: SHA-256 of its files. No other package's family is used."""
    foreign: dict[str, str] = field(default_factory=dict)
    """Hash of a model that another tool logged: the name it is registered under. No other such model is used."""
    seconds: float = 60.0
    """Seconds that the process of such a model has for loading it, and for each answer to a batch of rows."""
    memory: float = 4.0
    """Gigabytes of memory of that process."""
    unisolated: bool = False
    """Run it also where this machine cannot isolate the process, which can then read files; evidence states it."""


def check_models(models: ModelSettings) -> None:
    """Raise ConfigurationError for limits that no model can keep."""
    if not models.seconds > 0:
        raise ConfigurationError(f"policy.models.seconds must be above 0, received {models.seconds:g}; try 60")
    if not models.memory >= LEAST_MEMORY:
        raise ConfigurationError(
            f"policy.models.memory must be at least {LEAST_MEMORY:g} gigabyte, received {models.memory:g}; MLflow "
            "alone needs about that much"
        )
