"""The code that is logged with a model: the scorers of several families do not get in each other's way."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.candidates.portable_model import load_scorer
from pipelines.candidates.portable_source import portable_source, require_bound
from pipelines.candidates.registry import families, family_named

SCORER = '''
"""A scorer."""

import numpy as np

NOTHING, SHIFT = 0, {shift}
LINES = """first
  {shift}
last"""


def moved(values):
    """Return values
    moved by SHIFT.
    """
    return values + SHIFT


class Scorer:
    @classmethod
    def load(cls, folder, card, threads):
        return cls()

    def log_odds(self, columns):
        return moved(np.asarray(columns["x"]))

    def lines(self):
        return LINES.splitlines()
'''


@pytest.fixture
def scorers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, type[Any]]:
    """Two families of different packages whose modules give the same names to different things."""
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, shift in (("scorer_of_one", 1), ("scorer_of_two", 2)):
        (tmp_path / f"{name}.py").write_text(SCORER.format(shift=shift))
        monkeypatch.delitem(sys.modules, name, raising=False)
    return {"one": import_module("scorer_of_one").Scorer, "it's two": import_module("scorer_of_two").Scorer}


def test_families_may_give_the_same_names_to_different_things(scorers: dict[str, type[Any]], tmp_path: Path) -> None:
    logged: dict[str, Any] = {"__name__": "logged"}
    exec(portable_source(scorers), logged)
    for family, expected in (("one", 1), ("it's two", 2)):
        scorer = load_scorer(tmp_path, {"family": family}, 1, logged["SCORERS"])
        assert scorer.log_odds({"x": np.zeros(2)}).tolist() == [expected] * 2
        assert scorer.lines() == ["first", f"  {expected}", "last"]  # texts are as they were, whatever the indentation


def test_a_name_that_would_be_missed_elsewhere_is_refused_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    source = SCORER.format(shift=1).replace("NOTHING, SHIFT = 0, 1", "for SHIFT in (1,):\n    pass")
    (tmp_path / "scorer_of_a_loop.py").write_text(source)
    with pytest.raises(TypeError, match=r"^scorers use SHIFT, which is not logged with them; bind it"):
        require_bound(portable_source({"loop": import_module("scorer_of_a_loop").Scorer}))


def test_what_all_families_log_is_bound() -> None:
    require_bound(portable_source({name: family_named(name).scorer for name in families()}))
