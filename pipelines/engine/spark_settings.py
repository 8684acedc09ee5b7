"""What a user can set about Spark, for every verb that uses it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.errors import ConfigurationError

PREFIX = "spark."
"""How the names of Spark's own settings begin."""


@dataclass
class SparkSettings:
    """The Spark that an engine named `spark` uses."""

    master: str | None = None
    """Address of a cluster's master, such as spark://HOST:7077, or yarn; by default Spark runs on this machine, or
    on the master that spark-submit names."""
    conf: dict[str, Any] = field(default_factory=dict)
    """Spark's own settings under their full names, such as spark.conf.spark.executor.memory=4g."""

    def properties(self) -> dict[str, str]:
        """Return the settings of `conf` as Spark reads them.

        >>> SparkSettings(conf={"spark": {"executor": {"cores": 2}}, "spark.speculation": True}).properties()
        {'spark.executor.cores': '2', 'spark.speculation': 'true'}

        Raises:
            ConfigurationError: a name does not begin with "spark.".
        """
        found = dict(_flat(self.conf))
        for name, value in found.items():
            if not name.startswith(PREFIX):
                raise ConfigurationError(
                    f"spark.conf has '{name}', but names of Spark's settings begin with 'spark.'; write for example "
                    f"spark.conf.{PREFIX}{name}={value}"
                )
        return found


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value).lower() if isinstance(value, bool) else str(value)
