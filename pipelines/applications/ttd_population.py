"""All who asked, declined and immature ones included, and what the policy of the time decided on them."""

from dataclasses import replace
from pathlib import Path

from pipelines.applications.applications import Applications, load_applications
from pipelines.applications.roles import Roles
from pipelines.applications.settings import DataSettings, Source
from pipelines.errors import ConfigurationError, DataError
from pipelines.storage.workspace import Workspace


def ttd_path(data: DataSettings) -> str | None:
    """Return where all who asked lie: as told, or beside the training table of a marketplace; None where nobody tells.

    >>> ttd_path(DataSettings(source=Source.marketplace, path="/lake/training"))
    '/lake/applications'
    """
    if data.through_the_door is None and data.source is Source.marketplace and data.path is not None:
        return str(Path(data.path).absolute().with_name("applications"))
    return data.through_the_door


def read_ttd_population(
    data: DataSettings, workspace: Workspace, roles: Roles, *, decided: bool = False
) -> Applications:
    """Return all who asked, without outcomes, with the features of a training table whose roles are given.

    Raises:
        ConfigurationError: nobody tells where they lie.
        DataError: their table breaks a rule (see `load_applications`).
    """
    everyone_at = ttd_path(data)
    if everyone_at is None:
        raise ConfigurationError(
            "all who asked lie in a table of their own, received no data.through_the_door; add "
            "data.through_the_door=FILE"
        )
    numeric, categorical = list(roles.numeric), list(roles.categorical)
    asked = replace(data, path=everyone_at, numeric=numeric, categorical=categorical, infer=False)
    return load_applications(asked, workspace, labelled=False, decided=decided)


def decided_ttd_population(data: DataSettings, workspace: Workspace, roles: Roles) -> Applications | None:
    """Return all who asked with the earlier policy's decisions in `approved` and `by_lot`, None where nobody tells.

    Their `ids` are those of the training table, by which outcomes are joined; `Applications.during` takes those of a
    time.

    Raises:
        ConfigurationError: earlier decisions are told and applications have no id to join them by.
        DataError: their table breaks a rule, or nobody was approved.
    """
    if ttd_path(data) is None or data.decision is None:
        return None
    if data.id is None:
        raise ConfigurationError(
            "earlier decisions are joined to outcomes by the application's id, received no data.id; add data.id=COLUMN"
        )
    everyone = read_ttd_population(data, workspace, roles, decided=True)
    assert everyone.approved is not None
    if not everyone.approved.any():
        raise DataError(
            f"somebody was approved, or nothing could be learnt, column '{data.decision}' never says "
            f"'{data.approved}'; name the value of the approved ones in data.approved"
        )
    return everyone
