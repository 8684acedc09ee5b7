"""What Optuna does not document is used in one module, which names the version it was written for."""

import multiprocessing
import re
from importlib.metadata import version
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from sqlalchemy import inspect, make_url

from experiments.search.optuna_adapter import WRITTEN_FOR, study_storage
from experiments.search.study_database import SCHEMA
from pipelines.errors import ThinfileError
from pipelines.model_store.store import ModelStore
from pipelines.storage.postgresql import open_engine
from pipelines.storage.workspace import Workspace
from tests.postgresql import fresh_database

ROOT = Path(__file__).parents[3]


def test_the_adapter_is_written_for_the_installed_version() -> None:
    assert version("optuna") == WRITTEN_FOR, (
        "Optuna changed: read its changelog for the constructor of Trial and the engine of RDBStorage, run the tests "
        "of experiments/search, then set WRITTEN_FOR"
    )


def test_only_the_package_search_imports_optuna() -> None:
    sources = [path for top in ("pipelines", "experiments", "monitoring") for path in (ROOT / top).rglob("*.py")]
    imports = re.compile(r"^\s*(from|import) optuna\b", re.MULTILINE)
    importers = {path.parent.relative_to(ROOT) for path in sources if imports.search(path.read_text(encoding="utf-8"))}
    assert importers == {Path("experiments/search")}


def test_no_module_but_the_adapter_touches_what_optuna_keeps_private() -> None:
    private = re.compile(r"\b(study|trial|storage|distribution|one)\._[a-z]")
    for path in (ROOT / "experiments/search").glob("*.py"):
        if path.name != "optuna_adapter.py":
            assert not private.search(path.read_text(encoding="utf-8")), path.name


def opens(database: str, start: Barrier) -> None:
    start.wait()
    study_storage(Workspace(Path("/nowhere"), database))


def test_workers_that_start_at_once_make_the_tables_once_beside_those_of_mlflow(
    postgresql: str, workspace: Workspace
) -> None:
    database = fresh_database(postgresql)
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(4)
    workers = [context.Process(target=opens, args=(database, start)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    ModelStore(Workspace(workspace.root, database))
    tables = inspect(open_engine(database))
    assert tables.has_table("alembic_version")
    assert tables.has_table("alembic_version", schema=SCHEMA)
    assert {"studies", "thinfile_leases"} <= set(tables.get_table_names(schema=SCHEMA))
    assert not {"studies", "thinfile_leases"} & set(tables.get_table_names())


def test_any_password_and_the_options_of_an_address_are_kept(postgresql: str, workspace: Workspace) -> None:
    database, password = fresh_database(postgresql), "%@#/:{a} +?"
    url = make_url(database).set(username="anna", password=password)
    url = url.update_query_dict({"options": "-cwork_mem=5MB"})
    with open_engine(database).begin() as connection:
        connection.exec_driver_sql("create role anna login password '%%@#/:{a} +?'")
        connection.exec_driver_sql(f'grant create on database "{url.database}" to anna')
    storage = study_storage(Workspace(workspace.root, url.render_as_string(hide_password=False)))
    assert storage.engine.url.password == password
    with storage.engine.connect() as connection:
        assert connection.exec_driver_sql("show work_mem").scalar() == "5MB"
        assert connection.exec_driver_sql("select current_schema()").scalar() == SCHEMA


def test_a_user_who_must_not_make_the_schema_learns_who_can(postgresql: str, workspace: Workspace) -> None:
    database = fresh_database(postgresql)
    with open_engine(database).begin() as connection:
        connection.exec_driver_sql("create role bert login")
    url = make_url(database).set(username="bert").render_as_string()
    with pytest.raises(ThinfileError, match=f"run: create schema {SCHEMA} authorization bert"):
        study_storage(Workspace(workspace.root, url))
    with open_engine(database).begin() as connection:
        connection.exec_driver_sql(f"create schema {SCHEMA} authorization bert")
    study_storage(Workspace(workspace.root, url))
