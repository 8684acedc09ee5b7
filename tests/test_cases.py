"""Small inputs that were once read wrongly: each is written here, and the shared samples are read too where they are.

A case is a function of a folder with its files; `written` says how the test makes such a folder by itself.
"""

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import thinfile
from pipelines.credit.population import Population
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import ScoreLog
from pipelines.storage.workspace import Workspace

ROWS = 400


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Commands:
    """Runs commands in a workspace."""

    workspace: Path

    def __call__(self, verb: str, *words: str) -> Answer:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = thinfile.main([verb, *words, f"workspace={self.workspace}", "output=json"])
        return Answer(code, out.getvalue(), err.getvalue())

    def tune(self, path: Path, *words: str, identity: str | None = "id", code: int = 0) -> Answer:
        ids = [] if identity is None else [f"data.id={identity}"]
        answer = self("tune", *TABLE, f"data.path={path}", *ids, "candidate=scorecard", "trials=1", *words)
        assert answer.exit_code == code, answer.err
        return answer

    def champion(self, path: Path, *words: str, identity: str | None = "id") -> None:
        """Tune and promote; gates may refuse so small a table, so that its policy has none."""
        self.tune(path, *words, identity=identity)
        answer = self("promote", "why=a case")
        assert answer.exit_code == 0, answer.out + answer.err

    def score(self, path: Path, period: str, *words: str, identity: str = "id") -> pd.DataFrame:
        """Score a table and return its decisions by application."""
        ids = ["data=table", f"data.path={path}", f"data.id={identity}", f"period={period}"]
        answer = self("score", *ids, *words)
        assert answer.exit_code == 0, answer.err
        key = LogKey("credit_score", 1, Population.applications, period)
        return ScoreLog(Workspace.at(str(self.workspace))).decisions(key).set_index("application_id").sort_index()

    def features(self) -> set[str]:
        """Return the features of the only model."""
        return {*self.card["numeric"], *self.card["categorical"]}

    @property
    def card(self) -> Any:
        """The record of the only model."""
        (path,) = (self.workspace / "artifacts").rglob("model.json")
        return json.loads(path.read_text())


TABLE = ("data=table", "data.label=bad")
Case = Callable[[Path, Commands], None]
CASES: dict[str, tuple[Callable[[Path], None], Case]] = {}


def case(name: str, written: Callable[[Path], None]) -> Callable[[Case], Case]:
    """Register a case under the name of its shared folder."""

    def register(check: Case) -> Case:
        CASES[name] = (written, check)
        return check

    return register


def shared(name: str) -> Path | None:
    """Return the folder of a shared sample where there is one beside a parent of the repository."""
    parents = Path(__file__).resolve().parents[2:]
    folders = (parent / "shared" / "cases" / name.partition(":")[0] for parent in parents)
    return next((folder for folder in folders if folder.is_dir()), None)


def loans(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Return a table whose label follows its income and its age."""
    generator = np.random.default_rng(seed)
    income = np.round(generator.gamma(9, 350, rows), 2)
    age = generator.integers(20, 70, rows)
    odds = 1.2 - income / 2000 - (age - 45) / 40
    bad = (generator.random(rows) < 1 / (1 + np.exp(-odds))).astype(int)
    return pd.DataFrame({"id": [f"A{row:04d}" for row in range(rows)], "income": income, "age": age, "bad": bad})


def codes(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with texts that look like numbers and missing values."""
    generator = np.random.default_rng(len(table))
    return table.rename(columns={"id": "application_id", "age": "util"}).assign(
        customer_id=[f"{row:07d}" for row in range(len(table))],
        country=generator.choice(["NA", "EU", "AS"], len(table)),
        branch=generator.choice(["01", "02", "11", "12"], len(table)),
    )


def write_same_rows(folder: Path) -> None:
    for name, table in (("train", codes(loans(1500, 1))), ("now", codes(loans(300, 2)).drop(columns="bad"))):
        table.to_csv(folder / f"{name}.csv", index=False)
        table.to_parquet(folder / f"{name}.parquet", index=False)


@case("same_rows_csv_and_parquet", write_same_rows)
def the_same_rows_have_the_same_probabilities(folder: Path, run: Commands) -> None:
    words = ("data.ignored=[customer_id]", "data.categorical=[branch]")
    run.champion(folder / "train.csv", *words, identity="application_id")
    found = [
        run.score(folder / f"now.{kind}", period, identity="application_id")
        for kind, period in (("csv", "2026-10"), ("parquet", "2026-11"))
    ]
    assert found[0]["pd"].tolist() == found[1]["pd"].tolist()
    assert found[0]["customer_id"].tolist() == found[1]["customer_id"].tolist()
    assert {"NA", "01"} <= {*pd.read_csv(folder / "now.csv", dtype=str, keep_default_na=False)[["country", "branch"]]
                            .to_numpy().ravel()}  # fmt: skip
    assert run("erase", "customer=0000007").exit_code == 0
    log = ScoreLog(Workspace.at(str(run.workspace)))
    for period in ("2026-10", "2026-11"):
        left = log.decisions(LogKey("credit_score", 1, Population.applications, period))
        assert len(left) == len(found[0]) - 1
        assert "0000007" not in set(left["customer_id"])
        assert "7" not in set(left["customer_id"])


def write_parts(folder: Path) -> None:
    table = codes(loans(800, 3)).drop(columns="customer_id")
    first = pa.Table.from_pandas(table[:400].assign(country=None), preserve_index=False)
    place = first.column_names.index("country")
    pq.write_table(first.set_column(place, "country", pa.nulls(400)), folder / "a.parquet")
    table[400:].to_parquet(folder / "b.parquet", index=False)


@case("null_typed_first_part", write_parts)
def a_column_without_a_type_agrees_with_any(folder: Path, run: Commands) -> None:
    run.tune(folder, identity="application_id")
    assert "country" in run.card["categorical"]


def write_other_columns(folder: Path) -> None:
    table = loans(800, 4).rename(columns={"id": "application_id"})
    table[:400].drop(columns="income").to_parquet(folder / "a.parquet", index=False)
    table[400:].to_parquet(folder / "b.parquet", index=False)


@case("files_of_a_folder_differ", write_other_columns)
def files_with_other_columns_are_refused_with_a_diff(folder: Path, run: Commands) -> None:
    answer = run.tune(folder, identity="application_id", code=2)
    assert "other columns than" in answer.out
    assert "(+income)" in answer.out


def write_partitions(folder: Path) -> None:
    generator = np.random.default_rng(5)
    for name, shares in (("before", (900, 600)), ("now", (150, 850))):
        for channel, rows in zip(("app", "web"), shares, strict=True):
            place = folder / name / f"channel={channel}"
            place.mkdir(parents=True)
            table = {"income": generator.gamma(9, 350, rows), "points": generator.integers(400, 800, rows)}
            pd.DataFrame(table).to_parquet(place / "p.parquet", index=False)


@case("partition_folders", write_partitions)
def the_folders_of_partitions_are_compared(folder: Path, run: Commands) -> None:
    answer = run("watch", "period=2026-10", f"input={folder / 'now'}", f"reference_input={folder / 'before'}")
    assert answer.exit_code == 3, answer.err
    assert "channel" in answer.out


def write_decimals(folder: Path) -> None:
    table = pa.Table.from_pandas(loans(600, 6).rename(columns={"id": "application_id"}), preserve_index=False)
    place = table.column_names.index("income")
    pq.write_table(table.set_column(place, "income", table["income"].cast(pa.decimal128(18, 2))),
                   folder / "decimal.parquet")  # fmt: skip


@case("decimals_left_out", write_decimals)
def decimals_are_numbers(folder: Path, run: Commands) -> None:
    run.tune(folder / "decimal.parquet", identity="application_id")
    assert "income" in run.card["numeric"]


def write_flags(folder: Path) -> None:
    table = loans(seed=7)
    table = table.assign(car=np.random.default_rng(7).random(len(table)) < 0.5 + 0.4 * table["bad"])
    table.to_csv(folder / "03_boolean.csv", index=False)
    table.astype({"car": int}).to_csv(folder / "03_boolean_as_01.csv", index=False)


@case("experiments:flags", write_flags)
def a_flag_has_one_spelling(folder: Path, run: Commands) -> None:
    run.champion(folder / "03_boolean.csv")
    assert "car" in run.features()
    words = run.score(folder / "03_boolean.csv", "2026-10")
    digits = run.score(folder / "03_boolean_as_01.csv", "2026-11")
    assert words["pd"].tolist() == digits["pd"].tolist()


def write_customer_numbers(folder: Path) -> None:
    loans(seed=8).to_csv(folder / "00_plain.csv", index=False)
    numbers = [f"{1582218195625938945 + 2 * row}" for row in range(ROWS)]
    numbers[5] = ""
    loans(seed=9).assign(customer=numbers).to_csv(folder / "04_customer_numbers.csv", index=False)


@case("experiments:customers", write_customer_numbers)
def an_id_is_never_changed_by_reading_it(folder: Path, run: Commands) -> None:
    run.champion(folder / "00_plain.csv")
    path = folder / "04_customer_numbers.csv"
    found = run.score(path, "2026-10", "data.customer=customer")
    written = pd.read_csv(path, dtype=str).set_index("id").sort_index()["customer"]
    assert found["customer_id"].dropna().to_dict() == written.dropna().to_dict()
    assert found["customer_id"].nunique() == ROWS - 1
    answer = run("erase", f"customer={written.dropna().iloc[0]}")
    assert answer.exit_code == 0, answer.err
    left = ScoreLog(Workspace.at(str(run.workspace))).decisions(
        LogKey("credit_score", 1, Population.applications, "2026-10")
    )
    assert len(left) == ROWS - 1


def write_row_numbers(folder: Path) -> None:
    loans(seed=10).sample(frac=1, random_state=0, ignore_index=True).to_csv(folder / "07_row_numbers.csv")


@case("experiments:row_numbers", write_row_numbers)
def row_numbers_are_no_feature_and_it_is_said(folder: Path, run: Commands) -> None:
    run.tune(folder / "07_row_numbers.csv")
    assert run.features() == {"income", "age"}
    documents = [path.read_text() for path in (run.workspace / "artifacts").rglob("*.json")]
    assert any("Unnamed: 0 (running row numbers)" in text for text in documents)


def write_trailing_commas(folder: Path) -> None:
    table = loans(seed=11)[["bad", "income", "age"]]
    table.insert(1, "homeowner", np.arange(ROWS) % 2)
    lines = table.to_csv(index=False).splitlines()
    (folder / "09_trailing_comma.csv").write_text("\n".join([lines[0], *(f"{line}," for line in lines[1:])]) + "\n")


@case("experiments:trailing_comma", write_trailing_commas)
def a_delimiter_at_the_end_of_lines_shifts_nothing(folder: Path, run: Commands) -> None:
    path = folder / "09_trailing_comma.csv"
    answer = run.tune(path, identity=None)
    assert run.features() <= {"homeowner", "income", "age"}
    assert answer.exit_code == 0
    labels = [int(line.split(",")[0]) for line in path.read_text().splitlines()[1:]]
    assert 0 < sum(labels) < len(labels)
    assert run.card["reading"]["columns"]["bad"]["why"] == "values are 0 and 1"


def write_twice(folder: Path) -> None:
    table = loans(seed=12).rename(columns={"income": "x"})
    table.assign(x_again=table["x"]).to_csv(folder / "twice.csv", index=False)


@case("flat:twice", write_twice)
def equal_columns_are_one_feature_and_it_is_said(folder: Path, run: Commands) -> None:
    run.tune(folder / "twice.csv")
    assert "x" in run.features()
    assert "x_again" not in run.features()
    documents = [path.read_text() for path in (run.workspace / "artifacts").rglob("*.json")]
    assert any("x_again (equal to x)" in text for text in documents)


def write_special_codes(folder: Path) -> None:
    generator = np.random.default_rng(13)
    table = loans(1200, 13).rename(columns={"income": "x"})
    months = generator.integers(0, 60, len(table))
    kind = generator.random(len(table))
    table["months_since"] = np.where(kind < 0.2, -9, np.where(kind < 0.35, -8, months))
    table["bad"] = (generator.random(len(table)) < np.where(kind < 0.2, 0.7, 0.2)).astype(int)
    table.to_csv(folder / "special_codes.csv", index=False)


@case("flat:special_codes", write_special_codes)
def special_codes_are_categories_of_their_own(folder: Path, run: Commands) -> None:
    path = folder / "special_codes.csv"
    run.champion(path, "data.special={months_since: [-9, -8]}", "data.ignored=[month]")
    assert set(run.card["known_levels"]["months_since (code)"]) == {"-8", "-9", "an amount"}
    (profile,) = (run.workspace / "artifacts").rglob("reference_profile.json")
    bins = {one["column"]: one for one in json.loads(profile.read_text())["bins"]}
    (codes,) = (one for name, one in bins.items() if "months_since (code)" in name)
    assert {"-8", "-9"} <= {*codes["levels"], *codes["rare"]}
    (amounts,) = (one for name, one in bins.items() if name.endswith("months_since"))
    assert amounts["lowest"] >= 0
    found = run.score(path, "2026-10", "data.ignored=[month]")
    codes_by_id = pd.read_csv(path, dtype={"id": str}).set_index("id")["months_since"]
    words = found["reasons"].dropna().explode().dropna()
    of_code = words[codes_by_id.loc[words.index].isin([-9, -8]).to_numpy() & words.str.startswith("months since")]
    assert len(of_code)
    assert set(of_code) <= {"months since (code -9)", "months since (code -8)"}
    assert not words.str.contains("months since (code", regex=False)[
        ~codes_by_id.loc[words.index].isin([-9, -8]).to_numpy()
    ].any()


def write_leak(folder: Path) -> None:
    generator, rows = np.random.default_rng(14), 3000
    table = pd.DataFrame({"id": range(rows), "income": generator.normal(3000, 500, rows).round()})
    table["applied_at"] = pd.Timestamp("2023-01-01") + pd.to_timedelta(3 * np.arange(rows), "h")
    bad = generator.binomial(1, 0.1, rows)
    table["paybacks_so_far"] = 1 + generator.poisson(np.where(bad, 2.0, 1.0))
    table["last_payback_amount"] = generator.lognormal(np.where(bad, 6.3, 7.0), 0.6).round()
    table["paid_on"] = table["applied_at"] + pd.Timedelta(31, "D")
    table.assign(bad=bad).to_csv(folder / "loans.csv", index=False)


@case("leak_not_seen", write_leak)
def what_is_written_after_the_outcome_is_warned_of_and_refused(folder: Path, run: Commands) -> None:
    answer = run.tune(folder / "loans.csv", "data.time=applied_at")
    refused = run("promote")
    assert refused.exit_code == 3, refused.err
    (gate,) = (gate for gate in refused.json["evidence"]["gates"] if gate["gate"] == "no leak")
    assert (gate["answer"], gate["blocking"]) == ("failed", True)
    assert "not checked:" in gate["sentence"].lower()
    for name in ("paybacks_so_far", "last_payback_amount"):
        assert f"possible leak: {name}" in answer.err
        assert name in gate["sentence"]


def write_repeated_rows(folder: Path) -> None:
    generator = np.random.default_rng(15)
    noise = pd.DataFrame(generator.normal(size=(80, 6)).round(3), columns=[f"x{number}" for number in range(6)])
    repeated = pd.concat([noise.assign(bad=generator.binomial(1, 0.4, 80))] * 4, ignore_index=True)
    repeated.rename_axis("id").reset_index().to_csv(folder / "11_repeated_rows.csv", index=False)


@case("experiments:repeated_rows", write_repeated_rows)
def copies_stay_on_one_side_of_a_split(folder: Path, run: Commands) -> None:
    answer = run.tune(folder / "11_repeated_rows.csv")
    assert "320 of 320 applications are twins (320 exact copies)" in answer.err
    judged = run("promote")
    assert judged.exit_code == 3, judged.err
    evidence = judged.json["evidence"]
    assert evidence["measures"]["measures"]["auc"]["value"] < 0.9  # it was 1
    assert next(gate["answer"] for gate in evidence["gates"] if gate["gate"] == "no twins") == "passed"


def write_monthly_dates(folder: Path) -> None:
    months = np.repeat([f"2025-{month:02d}-01" for month in range(1, 11)],
                       [300, 250, 250, 250, 200, 200, 150, 150, 120, 100])  # fmt: skip
    loans(len(months), 16).assign(month=months).to_csv(folder / "monthly_dates.csv", index=False)


@case("flat:monthly_dates", write_monthly_dates)
def folds_and_parts_begin_at_distinct_dates(folder: Path, run: Commands) -> None:
    answer = run.tune(folder / "monthly_dates.csv", "data.time=month")
    assert "out of time at 2025-07-01" in answer.err


def scored_elsewhere(rows: int, seed: int) -> pd.DataFrame:
    """Return a month of decisions that were made elsewhere."""
    generator = np.random.default_rng(seed)
    income = generator.lognormal(7.6, 0.4, rows).round(2)
    debt = (0.3 * income * generator.random(rows)).round(2)
    channel = generator.choice(["app", "web", "shop"], rows, p=[0.5, 0.3, 0.2])
    points = generator.normal(620, 45, rows).astype(int)
    return pd.DataFrame({"income": income, "debt": debt, "util": generator.random(rows).round(4), "channel": channel,
                         "points": points})  # fmt: skip


def watched(run: Commands, now: Path, before: Path, *words: str) -> Answer:
    return run("watch", "period=2026-10", f"input={now}", f"reference_input={before}", *words)


def write_sentinel(folder: Path) -> None:
    now = scored_elsewhere(3000, 20)
    now["income"] = now["income"].mask(np.random.default_rng(20).random(3000) < 0.1, -999.0)
    now.to_parquet(folder / "now.parquet", index=False)
    scored_elsewhere(3000, 21).to_parquet(folder / "before.parquet", index=False)


@case("sentinel_in_a_column", write_sentinel)
def a_value_outside_the_reference_is_a_data_fault(folder: Path, run: Commands) -> None:
    answer = watched(run, folder / "now.parquet", folder / "before.parquet")
    assert answer.exit_code == 3
    assert answer.json["verdict"] == "act"
    assert "income (values outside the reference)" in answer.json["sentence"]


def write_no_rows(folder: Path) -> None:
    scored_elsewhere(3000, 22).to_parquet(folder / "before.parquet", index=False)
    month = scored_elsewhere(20, 23)
    for name, rows in (("now", 0), ("one", 1), ("twenty", 20)):
        month.head(rows).to_parquet(folder / f"{name}.parquet", index=False)


@case("no_rows", write_no_rows)
def too_few_rows_give_no_verdict(folder: Path, run: Commands) -> None:
    for name, words in (("now", "No rows were delivered"), ("one", "1 row is too few"), ("twenty", "20 rows are too")):
        answer = watched(run, folder / f"{name}.parquet", folder / "before.parquet")
        assert (answer.exit_code, answer.json["verdict"]) == (3, "inconclusive")
        assert answer.json["sentence"].startswith(words)


def write_swapped_segments(folder: Path) -> None:
    for name, seed, sign in (("before", 24, 1), ("now", 25, -1)):
        table = scored_elsewhere(3000, seed)
        table["points"] += sign * 30 * ((table["channel"] == "app").astype(int) - (table["channel"] == "web"))
        table.to_parquet(folder / f"{name}.parquet", index=False)


@case("score_moves_within_segments", write_swapped_segments)
def a_score_that_moves_within_segments_is_said_to_move(folder: Path, run: Commands) -> None:
    answer = watched(run, folder / "now.parquet", folder / "before.parquet", "table.segments=[channel]")
    assert answer.json["verdict"] == "act"
    assert "The score moved in channel=app" in answer.json["sentence"]
    assert "the score did not" not in answer.json["sentence"]


def write_one_class(folder: Path) -> None:
    ids = [f"A308-{row:06d}" for row in range(1200)]
    for name, bad in (("all_bad", 1), ("all_good", 0)):
        pd.DataFrame({"application_id": ids, "bad": bad}).to_parquet(folder / f"{name}.parquet", index=False)


@case("outcomes_one_class", write_one_class)
def outcomes_of_one_class_contradict_the_pds(folder: Path, run: Commands) -> None:
    ids = pd.read_parquet(folder / "all_bad.parquet")["application_id"]
    own = run.workspace.parent
    loans(1500, 1).drop(columns="id").assign(id=[f"B{row}" for row in range(1500)]).to_csv(own / "dev.csv", index=False)
    loans(len(ids), 27).assign(id=ids).drop(columns="bad").to_csv(own / "month.csv", index=False)
    run.champion(own / "dev.csv")
    run.score(own / "month.csv", "2026-01", "policy.approve_from=0")
    words = ("period=2026-01", "outcomes.id=application_id")
    for name in ("all_bad", "all_good"):
        answer = run("watch", *words, f"outcomes.table={folder / f'{name}.parquet'}")
        assert answer.exit_code == 3, answer.out + answer.err
        assert answer.json["verdict"] == "act"


def write_customers_and_orders(folder: Path) -> None:
    days = pd.date_range("2024-01-02", periods=40, freq="3D")
    customers = [1 + row % 10 for row in range(40)]
    pd.DataFrame({"customer_id": range(1, 11), "registered_at": "2024-01-01"}).to_csv(
        folder / "customers.csv", index=False
    )
    pd.DataFrame({"order_id": range(11, 51), "customer_id": customers, "ordered_at": days, "amount": 1000}).to_csv(
        folder / "orders.csv", index=False
    )


@case("book_without_loans", write_customers_and_orders)
def a_book_needs_customers_and_orders_alone(folder: Path, run: Commands) -> None:
    words = (f"raw.folder={folder}", "raw.time_zone=UTC", "population=book", "observed_at=2024-05-01", "features=short")
    answer = run("prepare", *words)
    assert answer.exit_code == 0, answer.err
    assert answer.json["customers"] == 10


def write_days_first(folder: Path) -> None:
    people = range(1, 11)
    pd.DataFrame({"customer_id": people, "registered_at": "2018-12-01"}).to_csv(folder / "customers.csv", index=False)
    orders = pd.DataFrame({"order_id": range(11, 41), "customer_id": [*people] * 3, "amount": 1000})
    orders["ordered_at"] = [f"{6 + row % 9}/1/19 10:00:00" for row in range(30)]
    orders.to_csv(folder / "orders.csv", index=False)
    when = "2019-04-01 09:00:00"
    loan = {"applied_at": when, "principal": 5000, "term": 3, "decision": "approved", "disbursed_at": when}
    pd.DataFrame({"application_id": people, "customer_id": people} | loan).to_csv(
        folder / "applications.csv", index=False
    )
    dues = [
        {"application_id": one, "number": number, "due_at": f"2019-0{4 + number}-01 09:00:00", "due_amount": amount,
         "paid_at": None, "paid_amount": 0}
        for one in people for number, amount in ((1, 1667), (2, 1667), (3, 1666))
    ]  # fmt: skip
    pd.DataFrame(dues).to_csv(folder / "instalments.csv", index=False)


@case("day_first_two_digit_years", write_days_first)
def a_time_that_is_not_iso_needs_its_format(folder: Path, run: Commands) -> None:
    words = (f"raw.folder={folder}", "raw.time_zone=UTC", "loan=dpd30_at_3_mob", "features=short",
             "loan.as_of=2019-08-01")  # fmt: skip
    answer = run("prepare", *words)
    assert answer.exit_code == 2
    assert "ordered_at" in answer.json["error"]
    assert "format" in answer.json["error"]


def write_feature_points(folder: Path) -> None:
    table = loans(1500, 1)
    table.insert(3, "points", np.random.default_rng(28).normal(100, 20, len(table)).round(1))
    table.to_csv(folder / "12_feature_points.csv", index=False)


@case("experiments:points", write_feature_points)
def a_feature_may_be_called_points(folder: Path, run: Commands) -> None:
    path = folder / "12_feature_points.csv"
    run.champion(path)
    run.score(path, "2026-10")
    answer = run("watch", "period=2026-10", "today=2026-12-01")
    assert answer.exit_code in (0, 3), answer.out + answer.err
    assert answer.json["verdict"] in ("stable", "watch")


def write_cities(folder: Path) -> None:
    """Write 60 cities, of which most are rare, and hundreds of villages that most samples lack."""
    for name, rows, seed in (("city_dev", 4000, 30), ("city_m1", 1000, 31), ("city_m2", 1000, 32)):
        table = loans(rows, seed).rename(columns={"income": "x", "age": "z"})
        names = np.random.default_rng(seed).zipf(1.6, rows).clip(max=100_000)
        table.assign(id=[f"{name}{row}" for row in range(rows)], city=[f"c{one}" for one in names]).to_csv(
            folder / f"{name}.csv", index=False
        )


@case("flat:city", write_cities)
def rare_values_are_no_drift_and_a_flood_of_new_ones_is(folder: Path, run: Commands) -> None:
    run.champion(folder / "city_dev.csv")
    for name, period in (("city_m1", "2026-09"), ("city_m2", "2026-10")):
        run.score(folder / f"{name}.csv", period)
        answer = run("watch", f"period={period}", "today=2026-12-01")
        assert answer.exit_code == 0, answer.out
        assert answer.json["verdict"] == "stable"
    flooded = pd.read_csv(folder / "city_m2.csv")
    flooded["city"] = flooded["city"].mask(np.arange(len(flooded)) % 4 == 0, [f"n{row}" for row in range(len(flooded))])
    flooded.to_csv(run.workspace.parent / "flooded.csv", index=False)
    run.score(run.workspace.parent / "flooded.csv", "2026-11")
    answer = run("watch", "period=2026-11", "today=2026-12-01")
    assert answer.json["verdict"] in ("watch", "act")
    assert "city" in {one["column"] for one in answer.json["moved"]}


def write_lapsed(folder: Path) -> None:
    """Write a month in which a quarter of the people lapsed: no orders, so no mean order; before, everyone had some."""
    generator = np.random.default_rng(33)
    for name, part in (("reference", 0.0), ("now", 0.27)):
        lapsed = generator.random(2000) < part
        orders = np.where(lapsed, 0, 1 + generator.poisson(4, 2000))
        mean = np.where(lapsed, np.nan, generator.lognormal(7, 1, 2000).round(2))
        points = generator.normal(600, 50, 2000).round()
        pd.DataFrame({"customer_id": range(2000), "points": points, "orders_365d": orders, "mean_order_365d": mean}) \
            .to_parquet(folder / f"{name}.parquet", index=False)  # fmt: skip


@case("empty_where_a_count_is_0", write_lapsed)
def a_column_that_is_empty_where_a_count_is_0_is_no_fault(folder: Path, run: Commands) -> None:
    answer = watched(run, folder / "now.parquet", folder / "reference.parquet", "table.ignored=[customer_id]")
    assert answer.json["faults"] == []
    assert answer.json["causes"] == ["mix shift"]
    assert {one["column"] for one in answer.json["moved"]} == {"orders_365d", "mean_order_365d"}
    lost = pd.read_parquet(folder / "now.parquet")
    lost.loc[::10, "mean_order_365d"] = np.nan  # of people with orders, too
    lost.to_parquet(run.workspace.parent / "lost.parquet", index=False)
    answer = watched(run, run.workspace.parent / "lost.parquet", folder / "reference.parquet",
                     "table.ignored=[customer_id]")  # fmt: skip
    assert "mean_order_365d (missing values risen)" in answer.json["sentence"]


SHARED = [(name, folder) for name in CASES if (folder := shared(name))]


@pytest.mark.integration
@pytest.mark.parametrize(
    ("name", "sample"),
    [
        *(pytest.param(name, None, id=f"{name}-written") for name in CASES),
        *(pytest.param(*one, id=f"{one[0]}-shared") for one in SHARED),
    ],
)
def test_an_input_that_was_read_wrongly_once_is_read_right(
    name: str, sample: Path | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, check = CASES[name]
    monkeypatch.chdir(tmp_path)
    folder = sample or tmp_path / "case"
    if sample is None:
        folder.mkdir()
        write(folder)
    check(folder, Commands(tmp_path / "workspace"))
