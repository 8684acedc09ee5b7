"""What a gate is: a function of the evidence record and the policy alone, so that a judgement can be repeated."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.policy.decision_rule import Bound, Decides, Interval
from pipelines.policy.pack import PolicySettings, what_decides

Record = Mapping[str, Any]

PASSED, FAILED, NOT_MEASURED, WARNED = "passed", "failed", "not measured", "warned"


class NotMeasured(Exception):
    """The data cannot answer what a gate asks; the message says why, and is the sentence of the result."""


class EvidenceMissing(NotMeasured):
    """The evidence record lacks a part that it should have; no policy tolerates that in a gate that blocks."""


@dataclass(frozen=True)
class GateResult:
    """The result of one gate: the figure, its interval, the bound that it must meet, and a sentence with all of them.

    Args:
        passed: whether the gate lets the challenger through.
        value: the figure that was judged, None where the gate judges none.
        bound: the requirement in words.
        sentence: figure, interval and requirement in words, which of them decides, and by how much it is met or missed.
        measured: whether the evidence decided; what is not measured has not passed.
        low: the lower end of the figure's interval, None without one.
        high: the upper end.
        decides: `figure`, `worst_end` or `best_end` of the interval, empty where something else decides.
        gate: the gate's name, set by `judge`.
        blocking: whether the result refuses the promotion unless it passed, set by `judge`.
    """

    passed: bool
    value: float | None
    bound: str
    sentence: str
    measured: bool = True
    low: float | None = None
    high: float | None = None
    decides: str = ""
    gate: str = ""
    blocking: bool = True

    @property
    def answer(self) -> str:
        """One of `passed`, `failed` and `not measured`."""
        if not self.measured:
            return NOT_MEASURED
        return PASSED if self.passed else FAILED

    @property
    def mark(self) -> str:
        """The answer as it is printed: a failure that does not block is a warning, capitals refuse the promotion."""
        if not self.measured:
            return NOT_MEASURED.upper() if self.blocking else NOT_MEASURED
        if self.passed:
            return PASSED
        return FAILED.upper() if self.blocking else WARNED

    @property
    def line(self) -> str:
        """The result as it is printed."""
        return f"{self.mark}  {self.gate}: {self.sentence}"

    def record(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return asdict(self) | {"answer": self.answer}


@dataclass(frozen=True)
class Figure:
    """A figure that a gate judges.

    Args:
        statement: the figure and its interval in words, as the beginning of a sentence.
        interval: the figure with the ends of its interval.
        bound: the range that it must be in.
        requirement: the bound in words.
        spec: the format of the figure and of distances from the bound.
        noun: what the figure is: a figure, count or share.
        note: an addition to the sentence, such as groups that were not measured.
        incomplete: what was not measured and keeps a bound that is met from being a pass.
    """

    statement: str
    interval: Interval
    bound: Bound
    requirement: str
    spec: str = ".3f"
    noun: str = "figure"
    note: str = ""
    incomplete: str = ""


@dataclass(frozen=True)
class Gate:
    """One gate. A module constant of this type in `experiments.promotion.gates` is judged in every promotion.

    Args:
        name: its name in output, ledger and document, and in policy.gates.advisory and policy.gates.may_be_unmeasured.
        position: gates are judged and shown in ascending order of it.
        judge: what an evidence record shows under a policy: figures, of which the one furthest outside its bound is
            judged, or a result where no figure decides; None where the policy does not require the gate. It raises
            NotMeasured where the record lacks what it reads.
        section: a name that means several gates in these lists.
        against_champion: whether it compares with a champion; a first champion skips it.
        former_name: an earlier name that policies may still use.
        is_warning: whether a failure only warns, unless the policy lists the gate in policy.gates.blocking.
        has_interval: whether policy.gates.decides applies to its figure.
    """

    name: str
    position: int
    judge: Callable[[Record, PolicySettings], GateResult | Figure | Sequence[Figure] | None]
    section: str = ""
    against_champion: bool = False
    former_name: str = ""
    is_warning: bool = False
    has_interval: bool = False

    @property
    def names(self) -> set[str]:
        """The names under which a policy can list the gate."""
        return {self.name, self.section, self.former_name} - {""}

    def decided_by(self, policy: PolicySettings) -> Decides:
        """Return what decides the gate's figure: the policy's entry for it, else for its section, else for all."""
        return what_decides(policy.gates, self.name, self.former_name, self.section)


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


def estimate(evidence: Record, measure: str) -> Interval:
    """Return a measure of the test part with its interval. Raises EvidenceMissing as `read` does."""
    recorded = read(evidence, "measures", "measures", measure)
    return Interval(read(evidence, "measures", "measures", measure, "value"), recorded.get("low"), recorded.get("high"))
