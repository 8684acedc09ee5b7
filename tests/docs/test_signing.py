"""The page of a signed promotion, run as one shell, and the roles that cannot rewrite a ledger, in PostgreSQL."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from pipelines.model_store.promotions import promotions_of
from pipelines.storage.postgresql import address
from pipelines.storage.workspace import Workspace
from tests.docs.commands import BLOCK, ROOT
from tests.postgresql import fresh_database

pytestmark = pytest.mark.integration

PAGE = ROOT / "docs" / "signing.md"
EXIT_CODE = re.compile(r"# exit code (\d)$")


def steps() -> list[tuple[str, int, list[str]]]:
    """Return each command with its exit code and the lines that the page shows below it."""
    found: list[tuple[str, int, list[str]]] = []
    for _, block in BLOCK.findall(PAGE.read_text()):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                code = EXIT_CODE.search(line)
                found.append((line[2:], int(code[1]) if code else 0, []))
            else:
                found[-1][2].append(line)
    return found


def test_the_page_runs_as_it_is_written(tmp_path: Path) -> None:
    variables: dict[str, str] = os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    variables.pop("THINFILE_SIGNERS", None)
    thinfile = f'thinfile() {{ "{sys.executable}" -m thinfile "$@"; }}'
    for command, code, shown in steps():
        script = f"{thinfile}\n{command}\ncode=$?\nenv -0 > environment\nexit $code"
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, f"{command}\n{done.stdout}{done.stderr}"
        for line in shown:
            assert line in done.stdout + done.stderr, f"{command}\n{done.stdout}{done.stderr}"
        kept = dict(one.split("=", 1) for one in (tmp_path / "environment").read_text().split("\0") if "=" in one)
        variables["THINFILE_SIGNERS"] = kept.get("THINFILE_SIGNERS", "")


def test_a_postgresql_role_appends_and_reads_and_cannot_rewrite(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given the SQL of the documentation, in a database whose tables exist
    monkeypatch.setenv("THINFILE_DATABASE", database := fresh_database(postgresql))
    promotions_of(Workspace.at(str(tmp_path)), "credit_score")
    (sql,) = re.findall(
        r"```sql\n(create role thinfile_owner.*?)```", (ROOT / "docs" / "promotion.md").read_text(), re.DOTALL
    )
    engine = create_engine(address(database))
    with engine.begin() as connection:
        for statement in filter(str.strip, re.sub(r"--.*", "", sql).split(";")):
            connection.execute(text(statement))
    as_role = create_engine(engine.url.set(username="thinfile_append", password="..."))
    try:
        appended = "insert into chain values ('c', 1, '', '', '', '')"
        with as_role.begin() as connection:
            connection.execute(text(appended))
            assert connection.execute(text("select count(*) from chain")).scalar() == 1
        for statement in ("update chain set content = 'x'", "delete from chain", "truncate chain", "drop table chain"):
            with (
                pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
                as_role.begin() as connection,
            ):
                connection.execute(text(statement))
    finally:
        as_role.dispose()
        with engine.begin() as connection:
            for role in ("thinfile_append", "thinfile_read"):
                connection.execute(text(f"drop owned by {role}"))
                connection.execute(text(f"drop role {role}"))
            connection.execute(text("alter table chain owner to current_user"))
            connection.execute(text("drop role thinfile_owner"))
        engine.dispose()
