"""The plan of an erasure, written before anything is removed: an interrupted erasure is finished from it."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pipelines.erasure.datasets import Dataset, datasets_of
from pipelines.erasure.files import PersonRows, files_below, kind_of, look_for, parquet_below
from pipelines.erasure.lines import SUFFIX, lines_of
from pipelines.erasure.person import Person
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.workspace import Workspace

QUARANTINE = "quarantine"
"""The folder of the lake that holds rows of flat tables; they have no lake of their own."""


@dataclass(frozen=True)
class Plan:
    """An erasure: the person, the rows in each file, and the fingerprints of training tables before it.

    `lakes` has the person's applications in each folder of the lake: two folders may number theirs alike. Paths are
    below the workspace. The file has ids in clear and is deleted at the end.
    """

    person: Person
    lakes: dict[str, list[str]]
    rows: dict[str, int]
    datasets: tuple[Dataset, ...]

    def kinds(self, root: Path) -> dict[str, int]:
        """Return the rows by kind of file."""
        counts = Counter[str]()
        for path, rows in self.rows.items():
            counts[kind_of(root / path, root)] += rows
        return dict(sorted(counts.items()))

    def person_in(self, path: str) -> Person:
        """Return the person with the ids that apply to a file: in a folder of the lake its own, elsewhere all."""
        lake = _lake_of(path)
        return self.person if lake not in self.lakes else replace(self.person, applications=frozenset(self.lakes[lake]))

    def write(self, path: Path) -> None:
        """Write the plan, readable by its owner alone."""
        record = asdict(self)
        record["person"] |= {name: sorted(record["person"][name]) for name in ("applications", "decisions")}
        with whole_file(path) as temporary:
            temporary.touch(mode=0o600)
            temporary.write_text(json.dumps(record, indent=1))

    @classmethod
    def read(cls, path: Path) -> "Plan":
        """Return a plan that was written."""
        record = json.loads(path.read_text())
        sets = {name: frozenset(record["person"][name]) for name in ("applications", "decisions")}
        person = Person(record["person"]["customer"], **sets, columns=tuple(record["person"]["columns"]))
        return cls(person, record["lakes"], record["rows"], tuple(Dataset(**one) for one in record["datasets"]))


def make_plan(workspace: Workspace, customer: str, columns: tuple[str, ...], applications: frozenset[str]) -> Plan:
    """Return the plan to erase a customer; `applications` are further ids that are in no table of the lake."""
    root, bare = workspace.root, Person(customer, columns=columns)
    files = [str(path.relative_to(root)) for path in parquet_below(root)]
    lakes = _lakes(root, files, bare)
    everywhere = applications.union(*lakes.values())
    person = replace(bare, applications=everywhere, decisions=_decisions(workspace, customer, everywhere, columns))
    plan = Plan(person, {lake: sorted(ids) for lake, ids in lakes.items()}, {}, ())
    rows = rows_left(workspace, plan)
    return replace(plan, rows=rows, datasets=tuple(datasets_of(workspace, [root / path for path in rows])))


def rows_left(workspace: Workspace, plan: Plan) -> dict[str, int]:
    """Return the rows of a plan's person in each file as it is now."""
    counts = {}
    for path in files_below(workspace.root):
        below = str(path.relative_to(workspace.root))
        rows = _rows_in(path, plan.person_in(below)) if path.suffix in (".parquet", SUFFIX) else 0
        if rows:
            counts[below] = rows
    return counts


def _rows_in(path: Path, person: Person) -> int:
    if path.suffix == SUFFIX:
        return lines_of(person, path)
    return (look_for(person, path) or PersonRows(0)).rows


def unsearched(workspace: Workspace, columns: tuple[str, ...]) -> list[str]:
    """Return the tables below the workspace that have no column of ids."""
    nobody, tables = Person("", columns=columns), list[str]()
    for path in files_below(workspace.root):
        is_table = path.suffix in (".csv", ".parquet") and "vintages" not in (path.stem, path.parent.name)
        if is_table and (path.suffix == ".csv" or look_for(nobody, path) is None):
            tables.append(str(path.relative_to(workspace.root)))
    return tables


def _lakes(root: Path, files: list[str], person: Person) -> dict[str, frozenset[str]]:
    """Return the applications of a person in each folder of the lake."""
    lakes: dict[str, frozenset[str]] = {}
    for path in files:
        lake = _lake_of(path)
        if lake is not None:
            here = look_for(person, root / path) or PersonRows(0)
            lakes[lake] = lakes.get(lake, frozenset()) | here.applications
    return lakes


def _lake_of(path: str) -> str | None:
    top, name, *_ = (*Path(path).parts, "", "")
    return name if top == "lake" and name not in (QUARANTINE, "") else None


def _decisions(
    workspace: Workspace, customer: str, applications: frozenset[str], columns: tuple[str, ...]
) -> frozenset[str]:
    person, decisions = Person(customer, applications, columns=columns), frozenset[str]()
    for path in parquet_below(workspace.score_log / "decisions"):
        decisions |= (look_for(person, path) or PersonRows(0)).decisions
    return decisions
