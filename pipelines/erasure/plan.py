"""What an erasure is about to do, on disk before it is done: a killed one is finished by the same command."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pipelines.erasure.datasets import Dataset, datasets_of
from pipelines.erasure.files import Found, files_below, kind_of, look_for, parquet_below
from pipelines.erasure.lines import SUFFIX, lines_of
from pipelines.erasures.person import Person
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.workspace import Workspace

QUARANTINE = "quarantine"
"""The folder of the lake that holds rows of flat tables; they have no lake of their own."""


@dataclass(frozen=True)
class Plan:
    """An erasure: whose rows, how many lie in which file, and the fingerprints of what is learnt from before it.

    `lakes` has the applications that each folder of the lake tells of, for two of them may number theirs alike. Paths
    are below the workspace. The file holds ids in clear, as the tables do until it is done, and goes with them.
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
        """Return by which ids the person is known where a file lies: in a lake by its own, elsewhere by all."""
        lake = _lake_of(path)
        return self.person if lake not in self.lakes else replace(self.person, applications=frozenset(self.lakes[lake]))

    def write(self, path: Path) -> None:
        """Write the plan, readable by its owner alone."""
        told = asdict(self)
        told["person"] |= {name: sorted(told["person"][name]) for name in ("applications", "decisions")}
        with whole_file(path) as temporary:
            temporary.touch(mode=0o600)
            temporary.write_text(json.dumps(told, indent=1))

    @classmethod
    def read(cls, path: Path) -> "Plan":
        """Return a plan that was written."""
        told = json.loads(path.read_text())
        sets = {name: frozenset(told["person"][name]) for name in ("applications", "decisions")}
        person = Person(told["person"]["customer"], **sets, columns=tuple(told["person"]["columns"]))
        return cls(person, told["lakes"], told["rows"], tuple(Dataset(**one) for one in told["datasets"]))


def make_plan(workspace: Workspace, customer: str, columns: tuple[str, ...], applications: frozenset[str]) -> Plan:
    """Return what there is to erase of a customer, whose applications may be named beside those that the lake tells."""
    root, bare = workspace.root, Person(customer, columns=columns)
    files = [str(path.relative_to(root)) for path in parquet_below(root)]
    lakes = _lakes(root, files, bare)
    everywhere = applications.union(*lakes.values())
    person = replace(bare, applications=everywhere, decisions=_decisions(workspace, customer, everywhere, columns))
    plan = Plan(person, {lake: sorted(found) for lake, found in lakes.items()}, {}, ())
    rows = rows_left(workspace, plan)
    return replace(plan, rows=rows, datasets=tuple(datasets_of(workspace, [root / path for path in rows])))


def rows_left(workspace: Workspace, plan: Plan) -> dict[str, int]:
    """Return how many rows of a plan's person lie in which file now."""
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
    return (look_for(person, path) or Found(0)).rows


def unsearched(workspace: Workspace, columns: tuple[str, ...]) -> list[str]:
    """Return the tables, below the workspace, none of whose columns could name a person."""
    nobody, found = Person("", columns=columns), list[str]()
    for path in files_below(workspace.root):
        is_table = path.suffix in (".csv", ".parquet") and "vintages" not in (path.stem, path.parent.name)
        if is_table and (path.suffix == ".csv" or look_for(nobody, path) is None):
            found.append(str(path.relative_to(workspace.root)))
    return found


def _lakes(root: Path, files: list[str], person: Person) -> dict[str, frozenset[str]]:
    """Return the applications of a person that the tables of each folder of the lake tell."""
    found: dict[str, frozenset[str]] = {}
    for path in files:
        lake = _lake_of(path)
        if lake is not None:
            here = look_for(person, root / path) or Found(0)
            found[lake] = found.get(lake, frozenset()) | here.applications
    return found


def _lake_of(path: str) -> str | None:
    place, name, *_ = (*Path(path).parts, "", "")
    return name if place == "lake" and name not in (QUARANTINE, "") else None


def _decisions(
    workspace: Workspace, customer: str, applications: frozenset[str], columns: tuple[str, ...]
) -> frozenset[str]:
    person, found = Person(customer, applications, columns=columns), frozenset[str]()
    for path in parquet_below(workspace.score_log / "decisions"):
        found |= (look_for(person, path) or Found(0)).decisions
    return found
