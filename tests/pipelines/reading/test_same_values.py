"""The same values give the same probabilities to the last bit, however and in whatever types they are written."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.applications.applications import Applications, load_applications
from pipelines.applications.settings import DataSettings, Source, SplitSettings
from pipelines.applications.splits import split_applications
from pipelines.batch.rows import BatchRoles, read_rows
from pipelines.batch.tables import open_table
from pipelines.candidates.families.hist_gradient_boosting import FAMILY
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import CalibrationMethod
from pipelines.candidates.training import TrainedModel, train
from pipelines.reading.contract import ReadingContract
from pipelines.storage.parquet_parts import read_tables, survey
from pipelines.storage.workspace import Workspace

ROWS = 240
ID = "application_id"


def random_rows(seed: int) -> pd.DataFrame:
    """Return a table of texts that look like numbers, flags, decimals, large ids and missing values."""
    g = np.random.default_rng(seed)
    cents = g.integers(100, 900_000, ROWS)
    return pd.DataFrame(
        {
            ID: [f"{1582218195625938945 + 2 * int(one)}" for one in g.permutation(ROWS)],
            "income": cents / 100,
            "rate": g.random(ROWS),
            "children": pd.array(np.where(g.random(ROWS) < 0.2, None, g.integers(0, 4, ROWS)), "Int64"),
            "owner": pd.array(np.where(g.random(ROWS) < 0.1, None, g.random(ROWS) < 0.5), "boolean"),
            "country": g.choice(["NA", "EU", "None", "nan"], ROWS),
            "branch": g.choice(["01", "1", "010", "2"], ROWS),
            "bad": (g.random(ROWS) < 0.2 + 0.4 * (cents < 300_000)).astype(int),
        }
    )


def as_csv(table: pd.DataFrame, folder: Path) -> Path:
    table.to_csv(folder / "t.csv", index=False)
    return folder / "t.csv"


def as_gz(table: pd.DataFrame, folder: Path) -> Path:
    table.to_csv(folder / "t.csv.gz", index=False)
    return folder / "t.csv.gz"


def as_tsv(table: pd.DataFrame, folder: Path) -> Path:
    table.assign(owner=table["owner"].astype("Int64")).to_csv(folder / "t.tsv", index=False, sep="\t")
    return folder / "t.tsv"


def as_parquet(table: pd.DataFrame, folder: Path) -> Path:
    table.to_parquet(folder / "t.parquet", index=False)
    return folder / "t.parquet"


def as_other_types(table: pd.DataFrame, folder: Path) -> Path:
    """Write numbers as decimals, doubles and texts, ids as integers, flags as text, text as codes; columns permuted."""
    rows = pa.Table.from_pandas(table, preserve_index=False)
    types = {
        "income": rows["income"].cast(pa.decimal128(18, 2)),
        "children": rows["children"].cast(pa.float64()),
        "owner": rows["owner"].cast(pa.string()),  # true and false
        "rate": pa.array([repr(float(one)) for one in table["rate"]]),
        ID: rows[ID].cast(pa.int64()),
        "country": rows["country"].dictionary_encode(),
        "branch": rows["branch"].cast(pa.large_string()),
        "bad": rows["bad"].cast(pa.bool_()),
    }
    pq.write_table(pa.table({name: types[name] for name in sorted(types)}), folder / "t.parquet", row_group_size=77)
    return folder / "t.parquet"


def as_parts(table: pd.DataFrame, folder: Path) -> Path:
    """Write parts with columns in other orders and in types of their own."""
    (folder / "t").mkdir()
    table[:100].to_parquet(folder / "t" / "1.parquet", index=False)
    shuffled = table[100:].iloc[:, ::-1].assign(children=table["children"][100:].astype("float64"))
    shuffled.astype({"owner": "string"}).to_parquet(folder / "t" / "2.parquet", index=False)
    return folder / "t"


def as_text_parts(table: pd.DataFrame, folder: Path) -> Path:
    (folder / "t").mkdir()
    table[:150].to_csv(folder / "t" / "1.csv", index=False)
    table[150:].iloc[:, ::-1].to_csv(folder / "t" / "2.csv", index=False)
    return folder / "t"


WAYS: list[Callable[[pd.DataFrame, Path], Path]] = [as_gz, as_tsv, as_parquet, as_other_types, as_parts, as_text_parts]


def settings_of(path: Path) -> DataSettings:
    return DataSettings(source=Source.table, path=str(path), id=ID, label="bad")


def trained(applications: Applications) -> TrainedModel:
    roles = applications.roles
    sample = Sample.of(
        applications.features,
        applications.outcomes,
        roles.numeric,
        roles.categorical,
        reading=roles.reading_record,
    )
    split = split_applications(applications, SplitSettings(folds=2))
    candidate = FAMILY.candidate(FAMILY.default_settings().parameters)  # type: ignore[attr-defined]
    return train(candidate, sample, split.folds, CalibrationMethod.logistic, seed=0, threads=1)


def probabilities(model: TrainedModel, path: Path, workspace: Workspace) -> dict[str, float]:
    """Return the probability of each application of a table that is scored part by part."""
    card = model.model.card
    contract = ReadingContract.from_record(card["reading"])
    roles = BatchRoles(ID, tuple(card["numeric"]), tuple(card["categorical"]), contract=contract)
    found: dict[str, float] = {}
    with open_table(settings_of(path), None, ID, workspace) as table:
        for part in survey(table.source).parts:
            for batch in read_tables([part], roles.columns, roles.coded):
                rows = read_rows(batch, roles)
                assert not rows.broken
                found |= dict(zip(rows.ids.to_pylist(), model.model.predict(rows.columns)[1].tolist(), strict=True))
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("write", WAYS)
def test_the_same_values_have_the_same_probabilities_in_every_format(
    write: Callable[[pd.DataFrame, Path], Path], seed: int, tmp_path: Path, workspace: Workspace
) -> None:
    table = random_rows(seed)
    (tmp_path / "csv").mkdir()
    (tmp_path / "other").mkdir()
    csv, other = as_csv(table, tmp_path / "csv"), write(table, tmp_path / "other")
    of_csv, of_other = (load_applications(settings_of(path), workspace) for path in (csv, other))
    assert of_csv.ids.tolist() == table[ID].tolist() == of_other.ids.tolist()
    pd.testing.assert_frame_equal(of_csv.features, of_other.features, check_exact=True)
    models = [trained(one) for one in (of_csv, of_other)]
    expected = probabilities(models[0], csv, workspace)
    assert list(expected) == table[ID].tolist()
    for model in models:
        for path in (csv, other):
            assert probabilities(model, path, workspace) == expected
