"""Receipts: what happened to the rows of each part, in counts that reconcile."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pipelines.storage.atomic_files import whole_file


@dataclass
class Receipt:
    """What happened to the `rows` of one part.

    Each was scored, logged already, decided by another version, of another period, of a person who was erased, or
    quarantined under a rule. `erased_since` counts the scored that were erased later, by the entry of the erasures.
    `first_month` and `last_month` are those of the applications, where they have times; `sum_pd` is that of the scored
    ones' probabilities of default. `unknown` counts, by column, the scored whose level the model does not know.
    """

    partition: str
    fingerprint: str
    id: str
    rows: int
    model_hash: str
    policy_hash: str
    scored: int = 0
    already_logged: int = 0
    other_versions: int = 0
    other_periods: int = 0
    erased: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)
    decisions: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    unknown_examples: dict[str, list[str]] = field(default_factory=dict)
    sum_pd: float = 0.0
    first_month: str | None = None
    last_month: str | None = None
    erased_since: dict[str, int] = field(default_factory=dict)

    @property
    def reconciles(self) -> bool:
        """Whether each row is accounted for once."""
        left_out = self.already_logged + self.other_versions + self.other_periods + self.erased
        return self.rows == self.scored + left_out + sum(self.quarantined.values())


class Receipts:
    """The receipts of one key of the log, a file each, below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, receipt: Receipt) -> None:
        """Write a receipt; that of a part which is scored again takes the place of the earlier one."""
        with whole_file(self.folder / f"{receipt.partition}.json") as temporary:
            temporary.write_text(json.dumps(asdict(receipt)))

    def drop(self, partition: str) -> None:
        """Remove the receipt of a part that was withdrawn."""
        (self.folder / f"{partition}.json").unlink(missing_ok=True)

    def of(self, partition: str) -> Receipt:
        """Return the receipt of a part that is done."""
        return Receipt(**json.loads((self.folder / f"{partition}.json").read_text()))

    def fingerprints(self) -> dict[str, str]:
        """Return, by the fingerprint of the rows, which column named them when they were scored."""
        receipts = (json.loads(path.read_text()) for path in sorted(self.folder.glob("*.json")))
        return {one["fingerprint"]: one["id"] for one in receipts}


def added(counts: list[Mapping[str, int]]) -> dict[str, int]:
    """Return the sums of counts, the largest first.

    >>> added([{"a": 1}, {"b": 3, "a": 1}])
    {'b': 3, 'a': 2}
    """
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))
