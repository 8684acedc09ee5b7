"""How a claim is shown: at reduced size in `make test`; `--full` runs it whole and writes evidence/NN-name.json."""

import json
import platform
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.command.provenance import git_commit

FOLDER = Path(__file__).resolve().parents[2] / "evidence"


@dataclass(frozen=True)
class Evidence:
    """`full` says which size to run; `record` keeps a figure with its bound when it is the full one."""

    full: bool
    commit: str
    """Of the code when the run began: the figures that it writes are changes themselves."""

    def size(self, *, full: int, reduced: int) -> int:
        """Return how many rounds to run."""
        return full if self.full else reduced

    def record(self, name: str, *, claim: str, value: object, bound: str, holds: bool) -> None:
        """Write one claim's figure. A claim that does not hold is written down too."""
        if not self.full:
            return
        FOLDER.mkdir(exist_ok=True)
        told = {
            "claim": claim,
            "value": value,
            "bound": bound,
            "holds": bool(holds),  # numpy has flags of its own
            "commit": self.commit,
            "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        }
        (FOLDER / f"{name}.json").write_text(json.dumps(told, indent=1) + "\n")


@pytest.fixture(scope="session")
def commit_at_start() -> str:
    """The commit of the code, with a plus where files differ from it; figures of an earlier run are no code."""
    commit = git_commit()
    changed = subprocess.run(
        ["git", "-C", FOLDER.parent, "diff", "--quiet", "HEAD", "--", ".", ":!evidence"], check=False
    )
    return commit.removesuffix("+") if commit.endswith("+") and changed.returncode == 0 else commit


@pytest.fixture
def evidence(request: pytest.FixtureRequest, commit_at_start: str) -> Evidence:
    """The size of the run and the place for its figure."""
    return Evidence(bool(request.config.getoption("--full")), commit_at_start)


@pytest.fixture
def boosted_search(tmp_path: Path) -> tuple[str, ...]:
    """The words of a search on 20,000 rows, whose boosted fits take long enough for several threads."""
    import numpy as np
    import pandas as pd

    generator = np.random.default_rng(0)
    features = generator.normal(size=(20_000, 20))
    bad = features[:, :5].sum(axis=1) + generator.normal(scale=2, size=len(features)) > 2
    table = pd.DataFrame(features, columns=[f"x{index}" for index in range(20)]).assign(bad=bad.astype(int))
    table.to_parquet(tmp_path / "table.parquet")
    data = ("data=table", f"data.path={tmp_path / 'table.parquet'}", "data.label=bad")
    return "tune", *data, "candidate=hist_gradient_boosting"


@pytest.fixture
def not_significantly_above() -> Callable[[int, int, float], bool]:
    """Whether an observed rate is compatible with a bound: one-sided exact binomial at 1%."""
    from scipy.stats import binomtest

    def check(events: int, trials: int, bound: float) -> bool:
        return bool(binomtest(events, trials, bound, alternative="greater").pvalue >= 0.01)

    return check
