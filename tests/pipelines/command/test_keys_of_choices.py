"""A key that the chosen option of a group lacks is explained by the options that have it."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

import thinfile
from pipelines.command.keys_of_choices import advice_on_choice


@dataclass
class Tree:
    depth: int = 6
    rate: float = 0.1


@dataclass
class Boosted:
    parameters: Tree = field(default_factory=Tree)
    space: dict[str, int] = field(default_factory=lambda: {"depth": 3})


@dataclass
class Searched:
    families: list[str] = field(default_factory=list)


CHOICES = {"candidate": {"auto": Searched(), "trees": Boosted(), "forest": Boosted(space={})}}


@pytest.mark.parametrize(
    ("key", "arguments", "message"),
    [
        ("candidate.space", ["candidate.space.depth=4"], "chosen candidate; choose candidate=trees, which has it"),
        ("candidate.parameters", ["+candidate.parameters.depth=4"], "choose one of candidate=NAME (trees, forest),"),
        ("candidate.parameters", [], "candidate.parameters is not a setting of the chosen candidate"),
        ("candidate.families", ["candidate=trees", "candidate.families=[a]"], "choose candidate=auto, which has it"),
        (
            "candidate.parameters",
            ["candidate.parameters.dept=4"],
            "did you mean candidate.parameters.depth with one of",
        ),
    ],
)
def test_the_options_that_have_the_key_are_named(key: str, arguments: list[str], message: str) -> None:
    advice = advice_on_choice(key, arguments, CHOICES)
    assert advice is not None
    assert message in advice


@pytest.mark.parametrize(
    ("key", "arguments"),
    [
        ("trials", ["trials=4"]),
        ("data.path", ["data.path=a"]),
        ("candidate.familes", ["candidate.familes=[a]"]),  # misspelt beside the right one
        ("candidate.parameters", ["candidate.parameters.nothing_like_it=1"]),
        ("candidate.parameters.dept", ["candidate=trees", "candidate.parameters.dept=4"]),
    ],
)
def test_other_unknown_keys_are_explained_elsewhere(key: str, arguments: list[str]) -> None:
    assert advice_on_choice(key, arguments, CHOICES) is None


def test_parameters_and_ranges_without_a_family_are_refused_with_the_choice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for word in ("candidate.parameters.depth=4", "candidate.space={depth: {low: 3, high: 5}}"):
        assert thinfile.main(["tune", word]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.endswith("is not a setting of the chosen candidate; choose candidate=catboost, which has it")


def test_a_users_experiment_with_parameters_and_no_family_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "experiment" / "deep.yaml"
    file.parent.mkdir()
    file.write_text("# @package _global_\ncandidate:\n  parameters: {depth: 4}\n")
    assert thinfile.main(["tune", "experiment=deep", f"--config-dir={tmp_path}"]) == 2
    assert f"{file}, line 3: candidate.parameters is not a setting of the chosen" in capsys.readouterr().err
