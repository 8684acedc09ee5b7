"""The candidate families: the modules of `pipelines.candidates.families`, and entry points of installed packages."""

import pkgutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from pipelines.candidates import families as own_families
from pipelines.candidates.candidate import Candidate, Family
from pipelines.candidates.portable_model import Model, families_of, load_scorer, read_card
from pipelines.candidates.settings import AutoSettings, CandidateSettings, parameters_of
from pipelines.candidates.trust import is_trusted, require_trusted
from pipelines.errors import ConfigurationError, RequestError, nearest
from pipelines.policy.model_settings import ModelSettings

GROUP = "thinfile.candidates"
"""The entry point group under which other packages declare families."""

AUTO = "auto"
"""The value of candidate=NAME that searches several families."""


def families() -> dict[str, Family]:
    """Return every family whose library is installed, by its name (see `declared_families`)."""
    return {name: family for name, family in declared_families().items() if family.is_installed}


def declared_families() -> dict[str, Family]:
    """Return every family by its name, also where its library is not installed.

    Raises:
        ConfigurationError: an entry point does not load, is not a family of its name, or declares a name twice.
    """
    registered = {name: _own(name) for name in own_names()}
    for point in _entry_points():
        if point.name in registered:
            raise _broken(point, f"the family '{point.name}' is declared already")
        registered[point.name] = _loaded(point)
    return registered


def candidate_settings() -> dict[str, dict[str, CandidateSettings]]:
    """Return the options of the configuration group candidate: the default settings of every family, and `AUTO`."""
    settings = {name: family.default_settings() for name, family in declared_families().items()}
    return {"candidate": {AUTO: AutoSettings(), **settings}}


def settings_class(name: str) -> type[CandidateSettings]:
    """Return the class of the settings of candidate=NAME.

    Raises:
        RequestError: no installed package declares the family.
    """
    return AutoSettings if name == AUTO else family_named(name).settings


def family_named(name: str) -> Family:
    """Return one family, its library installed or not; entry points of other families are not loaded.

    Raises:
        RequestError: no installed package declares it.
        ConfigurationError: its entry point does not load.
    """
    if name in own_names():
        return _own(name)
    points = list(_entry_points())
    for point in points:
        if point.name == name:
            return _loaded(point)
    names = [*own_names(), *(point.name for point in points)]
    raise RequestError(
        f"no installed package declares the candidate family '{name}'; install the one that does, or correct the name "
        f"({nearest(name, names)})"
    )


def candidate_of(settings: CandidateSettings) -> Candidate:
    """Return the candidate that the settings describe.

    Raises:
        RequestError: the family's library is not installed.
        ConfigurationError: a parameter, or the range of one, is outside the limits of the family.
    """
    family = _family_with(type(settings))  # type: ignore[arg-type]
    family.check_installed()
    family.check(settings)
    return family.candidate(parameters_of(settings))


def families_in(candidate: Candidate) -> list[Family]:
    """Return the families whose models a candidate's model consists of: its own, and those of its parts."""
    card = {"family": candidate.family} | asdict(candidate.parameters)
    return [family_named(name) for name in families_of(card)]


def load_model(folder: Path, threads: int = -1, models: ModelSettings | None = None) -> Model:
    """Load the model in a folder; `threads` score large batches, -1 being as many as there are cores.

    Raises:
        RequestError: no installed package declares the model's family, the policy's `models` do not trust the one
            that does, or the library that its models need is not installed.
    """
    card = read_card(folder)
    require_trusted_families(families_of(card), models or ModelSettings())
    declared = {name: family_named(name) for name in families_of(card)}
    for family in declared.values():
        if family.extra in family.requirements:
            family.check_installed()
    return Model(card, load_scorer(folder, card, threads, {name: one.scorer for name, one in declared.items()}))


def require_trusted_families(names: Sequence[str], models: ModelSettings) -> None:
    """Raise RequestError where a family of another package is not trusted; families of Thinfile always are."""
    points = {point.name: point for point in _entry_points()}
    for name in names:
        if name not in own_names() and name in points:
            require_trusted(points[name], models)


def trusted_families(models: ModelSettings) -> dict[str, Family]:
    """Return every family whose library is installed; those of packages that are not trusted are not even loaded."""
    declared = {name: _own(name) for name in own_names()}
    outside = [point for point in _entry_points() if point.name not in declared and is_trusted(point, models)]
    declared |= {point.name: _loaded(point) for point in outside}
    return {name: family for name, family in declared.items() if family.is_installed}


def untrusted_families(models: ModelSettings) -> dict[str, str]:
    """Return the families of other packages that are not trusted, with the names of their packages."""
    points = [point for point in _entry_points() if point.name not in own_names() and not is_trusted(point, models)]
    return {point.name: point.dist.name if point.dist else "unknown" for point in points}


@cache
def _family_with(settings: type[CandidateSettings]) -> Family:
    for family in declared_families().values():
        if family.settings is settings:
            return family
    raise TypeError(f"no candidate family has the settings {settings.__name__}")


def own_names() -> list[str]:
    """Return the names of the families that Thinfile itself declares, their libraries installed or not."""
    return [module.name for module in pkgutil.iter_modules(own_families.__path__)]


def _own(name: str) -> Family:
    family = import_module(f"{own_families.__name__}.{name}").FAMILY
    assert isinstance(family, Family)
    assert family.name == name
    return family


def _entry_points() -> Iterator[EntryPoint]:
    yield from sorted(entry_points(group=GROUP), key=lambda point: point.name)


def _loaded(point: EntryPoint) -> Family:
    try:
        family = point.load()
    except Exception as error:
        raise _broken(point, f"{type(error).__name__}: {error}") from error
    if not isinstance(family, Family):
        raise _broken(point, f"{point.value} is of type {type(family).__name__}, not Family")
    if family.name != point.name:
        raise _broken(point, f"{point.value} declares the family '{family.name}'")
    return replace(family, package=point.dist.name if point.dist else None)


def _broken(point: EntryPoint, reason: str) -> ConfigurationError:
    package = point.dist.name if point.dist else "unknown"
    return ConfigurationError(
        f"the candidate family '{point.name}' of the package '{package}' cannot be loaded ({reason}); "
        f"update or uninstall '{package}'"
    )
