"""The through-the-door population: all applications, declined and immature ones included, with earlier decisions."""

from dataclasses import replace
from pathlib import Path

from pipelines.applications.applications import Applications, load_applications
from pipelines.applications.roles import Roles
from pipelines.applications.settings import DataSettings, Source
from pipelines.errors import ConfigurationError, DataError
from pipelines.storage.workspace import Workspace


def ttd_path(data: DataSettings) -> str | None:
    """Return the path of the through-the-door population, by default beside a marketplace's training table.

    >>> ttd_path(DataSettings(source=Source.marketplace, path="/lake/training"))
    '/lake/applications'
    """
    if data.ttd_population is None and data.source is Source.marketplace and data.path is not None:
        return str(Path(data.path).absolute().with_name("applications"))
    return data.ttd_population


def read_ttd_population(
    data: DataSettings, workspace: Workspace, roles: Roles, *, decided: bool = False, keep_raw: bool = False
) -> Applications:
    """Return the through-the-door population without outcomes, with the features of a training table's `roles`.

    Raises:
        ConfigurationError: data.ttd_population is not set.
        DataError: the table breaks a rule (see `load_applications`).
    """
    path = ttd_path(data)
    if path is None:
        raise ConfigurationError(
            "data.ttd_population is not set, and this step needs the table of all applications; add "
            "data.ttd_population=FILE"
        )
    numeric, categorical = list(roles.numeric), list(roles.categorical)
    data = replace(data, query=None, database=None)
    population = replace(data, path=path, numeric=numeric, categorical=categorical, infer=False)
    return load_applications(
        population, workspace, labelled=False, decided=decided, types=roles.contract.types, keep_raw=keep_raw
    )


def decided_ttd_population(
    data: DataSettings, workspace: Workspace, roles: Roles, *, keep_raw: bool = False
) -> Applications | None:
    """Return the through-the-door population with earlier decisions in `approved` and `by_lot`, or None without them.

    Its `ids` are those of the training table and join decisions to outcomes.

    Raises:
        ConfigurationError: there are earlier decisions, but no id to join them by.
        DataError: the table breaks a rule, or no application was approved.
    """
    if ttd_path(data) is None or data.decision is None:
        return None
    if data.id is None:
        raise ConfigurationError(
            "data.id is not set, and earlier decisions are joined to outcomes by it; add data.id=COLUMN"
        )
    population = read_ttd_population(data, workspace, roles, decided=True, keep_raw=keep_raw)
    assert population.approved is not None
    if not population.approved.any():
        raise DataError(
            f"decision column '{data.decision}' never has the value '{data.approved}'; set data.approved to the value "
            "that means approved"
        )
    return population
