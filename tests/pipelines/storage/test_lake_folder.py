"""What one verb made in the lake, another does not write over."""

from pathlib import Path

import pytest

import thinfile
from pipelines.errors import ConfigurationError
from pipelines.storage.lake_folder import check_own_folder
from tests.pipelines.marketplace.shop import a_shop, lay

SMALL = ("customers=300", "threads=1", "months=24")


def files(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_simulated_tables_and_prepared_ones_do_not_share_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    simulated = ["simulate", *SMALL, f"workspace={tmp_path}"]
    prepared = ["prepare", "loan=dpd30_at_3_mob", "loan.as_of=2024-01-01", "features=short", f"workspace={tmp_path}"]
    raw = f"raw.folder={tmp_path}/lake/simulated"
    assert thinfile.main(simulated) == 0
    assert thinfile.main([*prepared, raw, "threads=1"]) == 0
    before = files(tmp_path)
    capsys.readouterr()
    assert thinfile.main([*prepared, raw, "name=simulated"]) == 2
    told = capsys.readouterr().err
    assert "name=simulated is the folder" in told
    assert "holds raw tables; choose another folder for prepare, for example name=simulated-prepared" in told
    assert thinfile.main([*simulated, "name=marketplace"]) == 2
    told = capsys.readouterr().err
    assert "name=marketplace is the folder" in told
    assert "which holds prepared tables; choose another folder for simulate" in told
    assert "for example name=marketplace-simulated" in told
    assert files(tmp_path) == before


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_raw_tables_of_one_s_own_are_not_prepared_where_they_lie(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds raw tables"):
        check_own_folder(lay(a_shop(), tmp_path / "marketplace", suffix), "prepare")


def test_a_new_folder_belongs_to_whoever_comes_first(tmp_path: Path) -> None:
    for verb in ("simulate", "prepare"):
        check_own_folder(tmp_path / "new", verb)
