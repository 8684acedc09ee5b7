"""The commands of the documentation run as they are written, page by page, each page in a workspace of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.docs.commands import PAGES, ROOT, blocks, words_of
from tests.docs.example_files import write_lender, write_shop
from tests.pay_later import simulate

pytestmark = pytest.mark.integration

EXIT_CODES = (0, 3)  # done, or an answer that is no

RUN = {page: [block for block in blocks() if block.page == page and block.is_run] for page in PAGES}


def applications(rows: int, start: str, seed: int) -> pd.DataFrame:
    """Return made-up applications such as the page of a user's own table speaks about."""
    generator = np.random.default_rng(seed)
    income = generator.lognormal(8, 0.5, rows)
    bad = generator.random(rows) < 1 / (1 + np.exp(0.002 * income - 3))
    return pd.DataFrame(
        {
            "application_id": [f"{start}-{number}" for number in range(rows)],
            "applied_at": pd.Timestamp(start) + pd.to_timedelta(generator.integers(0, 28, rows), unit="D"),
            "income": income,
            "tenure": generator.integers(0, 120, rows).astype(float),
            "sex": generator.choice(["f", "m"], rows),
            "age": generator.integers(18, 80, rows),
            "decision": np.where(income > 1500, "approved", "declined"),
            "defaulted": bad.astype(int),
        }
    )


def own_table(folder: Path) -> None:
    """Write the files that the page names."""
    months = [applications(300, f"2026-{month:02d}-01", month) for month in range(1, 10)]
    everyone = pd.concat(months, ignore_index=True)
    everyone.drop(columns="decision").to_parquet(folder / "applications.parquet")
    everyone.to_parquet(folder / "everyone.parquet")
    everyone[everyone["decision"] == "approved"].to_parquet(folder / "approved.parquet")
    applications(300, "2026-10-01", 10).drop(columns=["decision", "defaulted"]).to_parquet(folder / "october.parquet")


def own_marketplace(folder: Path) -> None:
    """Write the files of the two examples."""
    shutil.copytree(ROOT / "docs" / "examples", folder / "examples")
    write_lender(folder / "lender")
    write_shop(folder / "shop")


def pay_later(folder: Path) -> None:
    """Write the files of a simulated pay-later lender."""
    shutil.copytree(ROOT / "docs" / "examples", folder / "examples")
    simulate().write(folder / "pay_later")


PREPARED: dict[str, Callable[[Path], None]] = {
    "own_table.md": own_table,
    "own_marketplace.md": own_marketplace,
    "pay_later.md": pay_later,
}


@pytest.mark.parametrize("page", [page for page, found in RUN.items() if found], ids=lambda page: page.name)
def test_the_commands_of_a_page_run(page: Path, tmp_path: Path) -> None:
    PREPARED.get(page.name, lambda _: None)(tmp_path)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for command in (command for block in RUN[page] for command in block.commands if command.startswith("thinfile ")):
        done = subprocess.run(
            [sys.executable, "-m", "thinfile", *words_of(command)[1:]],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode in EXIT_CODES, f"{command}\n{done.stdout}{done.stderr}"


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n", "-b", "html", ROOT / "docs", tmp_path]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "index.html").exists()
