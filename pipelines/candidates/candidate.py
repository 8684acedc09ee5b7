"""What a candidate family declares, and a candidate: a family with its parameters set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.portable_model import Columns, CombinedScorer, Floats, Scorer
from pipelines.candidates.settings import CandidateSettings, Range, parameters_of
from pipelines.errors import ConfigurationError, RequestError

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.candidates.sample import Sample
    from pipelines.credit.points import PointsScale


class Candidate(Protocol):
    """A family with its parameters set."""

    @property
    def family(self) -> str:
        """The name of the family."""

    @property
    def parameters(self) -> Any:
        """Its settings, a dataclass."""

    def fit(self, sample: "Sample", *, seed: int, threads: int) -> Any:
        """Return a `Scorer` fitted on the sample; the same seed and thread count give the same one."""

    def save(self, scorer: Any, folder: Path) -> dict[str, object]:
        """Write the fitted model's files into a folder and return what its card must add."""


class LeafTables(Protocol):
    """Scores and explanations of a tree model from the leaves that rows reach, so that both take one pass."""

    base: float
    trees: int

    def leaves(self, columns: Columns) -> NDArray[np.integer[Any]]:
        """Return the leaf that each row reaches in each tree, shape (n, trees)."""

    def log_odds(self, leaves: NDArray[np.integer[Any]]) -> Floats:
        """Return the log-odds of rows from their leaves, bit for bit those of the scorer."""

    def contributions(self, leaves: NDArray[np.integer[Any]]) -> Floats:
        """Return what each feature adds to `base`, shape (n, features), numeric ones first."""


@dataclass(frozen=True)
class Family:
    """All that Thinfile needs to configure, search, fit, log, score and explain the models of one family.

    A family is declared as `FAMILY` in one module of `pipelines.candidates.families`, or by another installed package
    under the entry point group `thinfile.candidates`. Its module is imported to compose a configuration: libraries that
    take long to import are imported inside functions.

    Attributes:
        name: The value of candidate=NAME, and the family in a model's card.
        settings: A subclass of CandidateSettings with a dataclass `parameters`.
        candidate: Makes a candidate from these parameters.
        scorer: The class of fitted models. Its source, with all it refers to, is logged with a model and runs without
            Thinfile (see `portable_source`).
        space: What a search tries unless the configuration says otherwise.
        limits: Which values the parameters can have; configured values and ranges are checked before any work begins.
        requirements: Installed packages that the scorer imports, besides numpy and pandas. A logged model requires
            them, and a run records their versions.
        fitted_with: Installed packages that only `fit` imports; a run records their versions.
        leaf_tables: Makes the tables of a fitted scorer, or None for a scorer without them.
        points_table: Makes the table of points of a fitted scorer from its calibration map, for families that have one.
        cost: The microseconds that scoring a row of a large batch takes on one core, from the size of a fitted scorer
            and constants measured once, so that it is the same on every machine. 0 where a family does not know it.
        extra: The extra of Thinfile that installs the library which `fit` imports, where Thinfile does not require it.
            Its name is that of the module to import.
        package: The installed package that declares the family; its version is recorded. Set for entry points only.
    """

    name: str
    settings: type[CandidateSettings]
    candidate: Callable[[Any], Candidate]
    scorer: type[Scorer] | type[CombinedScorer]
    space: Mapping[str, Range] = field(default_factory=dict)
    limits: Mapping[str, Range] = field(default_factory=dict)
    requirements: tuple[str, ...] = ()
    fitted_with: tuple[str, ...] = ()
    leaf_tables: Callable[[Any], LeafTables | None] = lambda _: None
    points_table: "Callable[[Any, Mapping[str, Any], PointsScale], pd.DataFrame] | None" = None
    cost: Callable[[Any], float] = lambda _: 0.0
    extra: str | None = None
    package: str | None = None

    @property
    def is_installed(self) -> bool:
        """Whether the family's library is installed."""
        return self.extra is None or find_spec(self.extra) is not None

    def check_installed(self) -> None:
        """Raise RequestError when the family's library is not installed."""
        if not self.is_installed:
            raise RequestError(
                f"the candidate family '{self.name}' needs the package {self.extra}, which is not installed; "
                f"run pip install 'thinfile[{self.extra}]'"
            )

    @property
    def packages(self) -> tuple[str, ...]:
        """The installed packages whose versions decide a model of this family."""
        return (*self.requirements, *self.fitted_with, *([self.package] if self.package else []))

    def default_settings(self) -> CandidateSettings:
        """Return the settings with the default parameters and the default search space."""
        return self.settings(space=dict(self.space))

    def check(self, settings: CandidateSettings, where: str = "candidate") -> None:
        """Raise ConfigurationError for a parameter, or the range of one, that leaves what the family can have.

        `where` is the key of the settings in the configuration.
        """
        for name, limits in self.limits.items():
            values = {f"parameters.{name}": getattr(parameters_of(settings), name)}
            if searched := settings.space.get(name):
                values |= {f"space.{name}.low": searched.low, f"space.{name}.high": searched.high}
            for key, value in values.items():
                if not limits.includes(value):
                    raise ConfigurationError(f"{where}.{key} is {value:g}; use {_range_text(limits)}")


def _range_text(limits: Range) -> str:
    """Return a range in words.

    >>> _range_text(Range(1, 16)), _range_text(Range(0, inf))
    ('a number from 1 to 16', 'a number of at least 0')
    """
    return (
        f"a number of at least {limits.low:g}"
        if limits.high == inf
        else f"a number from {limits.low:g} to {limits.high:g}"
    )
