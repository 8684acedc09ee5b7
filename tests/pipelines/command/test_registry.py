"""What a package offers is what its modules define."""

from pathlib import Path

import pytest

from pipelines.command.registry import registered


def test_constants_of_a_kind_are_yielded_once_in_the_order_of_their_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a package where one module imports the constant of another
    package = tmp_path / "toy_registry"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "second.py").write_text("from toy_registry.first import ONE\nTWO = 2.5\nNAME = 'no number'\n")
    (package / "first.py").write_text("ONE = 1.5\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    # then
    assert list(registered("toy_registry", float)) == [1.5, 2.5]
