"""An id is never changed: each spelling is one id for scoring, erasing, verifying and later deliveries alike."""

import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import thinfile
from pipelines.applications.applications import load_applications
from pipelines.applications.settings import DataSettings, Source
from pipelines.command.verb import ExitCode
from pipelines.erasure import verify
from pipelines.erasure.erase import erase
from pipelines.erasures.record import read_erasures
from pipelines.erasures.salt import Kind, hashed, salt_of
from pipelines.reading.values import identities
from pipelines.storage.workspace import Workspace
from tests.pipelines.erasure.filled_workspace import settings, written

SPELLINGS = ["7", "007", "0000007", "7.0", " 7", "7 ", "+7", "7e0", "-7", "8", "A7", "a7", "ключ"]
SPELLINGS += ["1582218195625938945"]
WHOLE = [7, 8, -7, 1582218195625938945]


def columns() -> dict[str, tuple[pa.Array, list[str | None]]]:
    """Return columns of ids in the types that files have, and the ids that they are."""
    small = [7, 8, -7]
    texts = pa.array([*SPELLINGS, None])
    return {
        "texts": (texts, [*SPELLINGS, None]),
        "coded": (texts.dictionary_encode(), [*SPELLINGS, None]),
        "large": (texts.cast(pa.large_string()), [*SPELLINGS, None]),
        "integers": (pa.array([*WHOLE, None], pa.int64()), [*map(str, WHOLE), None]),
        "small": (pa.array(small, pa.int16()), [*map(str, small)]),
        "doubles": (pa.array([7.0, 8.0, None, -7.0]), ["7", "8", None, "-7"]),
        "decimals": (pa.array(WHOLE).cast(pa.decimal128(38, 2)), [*map(str, WHOLE)]),
    }


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ids") / "workspace"
    for name, (ids, _) in columns().items():
        written(pa.table({"customer_id": ids, "row": range(len(ids))}), root / name / "part.parquet", row_group_size=3)
    return root


def test_a_column_has_the_ids_that_were_written() -> None:
    for ids, expected in columns().values():
        assert identities(pa.chunked_array([ids])).to_pylist() == expected


@pytest.mark.parametrize("erased", SPELLINGS)
def test_one_spelling_is_erased_and_stays_away(erased: str, filled: Path, tmp_path: Path) -> None:
    workspace = Workspace.at(str(shutil.copytree(filled, tmp_path / "workspace")))
    result: Any = erase(settings(workspace, erased)).result
    counts = {name: expected.count(erased) for name, (_, expected) in columns().items()}
    assert result["rows"] == {name: count for name, count in sorted(counts.items()) if count}
    for name, (_, expected) in columns().items():
        kept = pq.read_table(workspace.root / name / "part.parquet", partitioning=None)["row"].to_pylist()
        assert kept == [row for row, one in enumerate(expected) if one != erased], name
    assert verify.verify(settings(workspace)).exit_code is ExitCode.DONE
    for name, (ids, expected) in columns().items():
        path = written(pa.table({"customer_id": ids, "row": range(len(ids))}), tmp_path / f"{name}.parquet")
        data = DataSettings(source=Source.table, path=str(path), customer="customer_id", id="row")
        later = load_applications(data, workspace, labelled=False)
        assert list(later.ids) == [str(row) for row, one in enumerate(expected) if one != erased], name
    again = written(pa.table({"customer_id": columns()["texts"][0]}), workspace.root / "back" / "part.parquet")
    findings = str(verify.verify(settings(workspace)).result["findings"])
    assert f"1 erased customers are again in back ('{again}')" in findings
    assert erase(settings(workspace, erased)).exit_code is ExitCode.DONE


ODD = ["7", "007", "7.0", "1e5", "1_000", "+7", "true", "null", " 7", "7 ", "a b", "a=b", "a,b", "{x}", "a'b"]
ODD += ["${x}", 'a"b', "a\\", "ключ", "😀", "a#b", "~a", "%41", "(a)"]


@pytest.mark.integration
def test_the_command_takes_an_id_as_it_is_written(tmp_path: Path) -> None:
    workspace = Workspace.at(str(tmp_path / "workspace"))
    workspace.root.mkdir()
    for one in ODD:
        assert thinfile.main(["erase", f"customer={one}", "output=json", f"workspace={workspace.root}"]) == 0
    salt = salt_of(workspace)
    assert read_erasures(workspace).customers == {hashed(salt, Kind.customer, one) for one in ODD}
