"""What a gate is: a function of the evidence record and the policy alone, so that a judgement can be repeated."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.policy.pack import PolicySettings

Record = Mapping[str, Any]

PASSED, FAILED, NOT_MEASURED = "passed", "failed", "not measured"


class NotMeasured(Exception):
    """The data cannot answer what a gate asks; the message says why, and is the sentence of the result."""


class EvidenceMissing(NotMeasured):
    """The evidence record lacks a part that it should have; no policy tolerates that in a gate that blocks."""


@dataclass(frozen=True)
class GateResult:
    """The result of one gate: the figure, the bound that it must meet, and a sentence with the difference.

    Args:
        passed: whether the gate lets the challenger through.
        value: the figure that was judged, None where the gate judges none.
        bound: the requirement in words.
        sentence: the figure in words, and by how much it misses the bound.
        measured: whether the evidence decided; what is not measured has not passed.
        gate: the gate's name, set by `judge`.
        blocking: whether the result refuses the promotion unless it passed, set by `judge`.
    """

    passed: bool
    value: float | None
    bound: str
    sentence: str
    measured: bool = True
    gate: str = ""
    blocking: bool = True

    @property
    def answer(self) -> str:
        """One of `passed`, `failed` and `not measured`."""
        if not self.measured:
            return NOT_MEASURED
        return PASSED if self.passed else FAILED

    def record(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return asdict(self) | {"answer": self.answer}


@dataclass(frozen=True)
class Gate:
    """One gate. A module constant of this type in `experiments.promotion.gates` is judged in every promotion.

    Args:
        name: its name in output, ledger and document, and in policy.gates.advisory and policy.gates.may_be_unmeasured.
        position: gates are judged and shown in ascending order of it.
        judge: the result for an evidence record under a policy, None where the policy does not require the gate.
            It raises NotMeasured where the record lacks what it reads.
        section: a name that means several gates in these lists.
        against_champion: whether it compares with a champion; a first champion skips it.
        former_name: an earlier name that policies may still use.
    """

    name: str
    position: int
    judge: Callable[[Record, PolicySettings], GateResult | None]
    section: str = ""
    against_champion: bool = False
    former_name: str = ""

    @property
    def names(self) -> set[str]:
        """The names under which a policy can list the gate."""
        return {self.name, self.section, self.former_name} - {""}


def read(evidence: Record, *path: str) -> Any:
    """Return a part of the evidence.

    Raises:
        EvidenceMissing: it is missing or null.
    """
    value: Any = evidence
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
        if value is None:
            raise EvidenceMissing(f"the evidence has no {'.'.join(path)}")
    return value
