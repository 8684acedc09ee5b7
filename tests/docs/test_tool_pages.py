"""The pictures of a workspace in MLflow, Evidently, optuna-dashboard and on its home page show what it has."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from docs.tool_pages import PHONE, WIDE, optuna_dashboard, shoot_tools
from tests.conftest import Answer
from tests.real_parts import needs_chromium


def width_of(picture: Path) -> int:
    head = picture.read_bytes()[:24]
    assert head[:4] == b"\x89PNG"
    (width,) = struct.unpack(">I", head[16:20])
    return int(width)


@needs_chromium
def test_a_small_workspace_in_every_tool(
    thinfile: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THINFILE_TOOLS", str(tmp_path / "tools"))
    assert thinfile("tune", "candidate=scorecard", "trials=2", "model=cards").exit_code == 0
    assert thinfile("promote", "model=cards").exit_code == 0
    assert thinfile("score", "data=german_credit", "period=2026-01", "model=cards").exit_code == 0
    assert thinfile("watch", "period=2026-01", "model=cards").exit_code == 0
    pages = shoot_tools(tmp_path / "workspace", "cards", tmp_path / "images")
    widths = {path.stem: width_of(path) for path in (tmp_path / "images").iterdir()}
    wide = ("home", "mlflow-run", "mlflow-version", "evidently", "optuna")
    assert widths == {**dict.fromkeys(wide, WIDE), "home-phone": PHONE}
    assert not pages["home"].wide
    assert not pages["home-phone"].wide
    assert "scorecard on german_credit" in pages["mlflow-run"].text
    assert "thinfile tune candidate=scorecard trials=2" in pages["mlflow-run"].text
    assert "Registered: version 1, scorecard: test AUC 0." in pages["mlflow-run"].text
    assert "Model: scorecard: test AUC 0." in pages["mlflow-version"].text
    assert "Ledger: entry 2, promoted on " in pages["mlflow-version"].text
    assert "Report: 2026-01 " in pages["mlflow-version"].text
    assert "PSI of features by period" in pages["evidently"].text
    assert "cards scorecard " in pages["optuna"].text
    assert Path(optuna_dashboard()).exists()
