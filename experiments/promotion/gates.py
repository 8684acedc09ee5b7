"""The gates of a promotion: each reads the evidence record and says whether it lets the challenger through, and why.

A gate reads nothing but the record, so that anyone can judge again what was judged then; what the record does not
hold is refused.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from pipelines.errors import ConfigurationError, nearest
from pipelines.policy.pack import Claim, PolicySettings

Record = Mapping[str, Any]


@dataclass(frozen=True)
class GateResult:
    """One gate's answer: the figure, the bound it was held against, and a sentence that says by how much."""

    gate: str
    passed: bool
    value: float | None
    bound: str
    sentence: str
    blocking: bool = True

    def record(self) -> dict[str, Any]:
        """Return the answer as JSON values."""
        return asdict(self)


class NotMeasured(Exception):
    """The evidence does not hold what a gate reads."""


def judge(evidence: Record, policy: PolicySettings) -> list[GateResult]:
    """Return the answers of all gates that the policy asks for; those named `advisory` do not block.

    A section that is named, such as `fairness`, means each of its gates.
    """
    advisory = set(policy.gates.advisory)
    return [
        replace(gate, blocking=advisory.isdisjoint((section, gate.gate)))
        for section, ask in _sections(evidence).items()
        for gate in _asked(section, ask, evidence, policy)
    ]


def lets_through(gates: list[GateResult]) -> bool:
    """Return whether no blocking gate refused."""
    return all(gate.passed for gate in gates if gate.blocking)


def check_advisory(policy: PolicySettings) -> None:
    """Raise ConfigurationError for a gate named as advisory that does not exist."""
    for name in policy.gates.advisory:
        if name not in NAMES:
            raise ConfigurationError(f"unknown gate '{name}' in policy.gates.advisory; {nearest(name, NAMES)}")


def alpha_for(tried_before: int, confidence: float) -> float:
    """Return the one-sided error that the next challenger on a test part may have.

    The k-th has (1 - confidence) / (k (k + 1)). These add up to 1 - confidence however many follow and however they
    hang together (a union bound; spending in advance as in Foster and Stine, 2008, alpha-investing).

    >>> alpha_for(0, 0.95), round(sum(alpha_for(k, 0.95) for k in range(100_000)), 4)
    (0.025000000000000022, 0.05)
    """
    k = tried_before + 1
    return (1 - confidence) / (k * (k + 1))


def _sections(evidence: Record) -> dict[str, "Gate"]:
    return GATES if evidence["about"]["champion"] is None else GATES | AGAINST_A_CHAMPION


def _asked(name: str, gate: "Gate", evidence: Record, policy: PolicySettings) -> Iterator[GateResult]:
    try:
        yield from gate(evidence, policy)
    except NotMeasured as missing:
        yield GateResult(name, False, None, "must be measured", f"not measured: {missing}")


def _read(evidence: Record, *path: str) -> Any:
    """Return a part of the evidence. Raises NotMeasured where it is not there."""
    found: Any = evidence
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
        if found is None:
            raise NotMeasured(f"the evidence has no {'.'.join(path)}")
    return found


def _mature(evidence: Record, policy: PolicySettings) -> Iterator[GateResult]:  # noqa: ARG001
    about = _read(evidence, "about")
    known_by, made_at = about.get("outcomes_known_by"), _read(evidence, "about", "made_at")
    bound = "every outcome known when it was judged"
    if known_by is None:
        yield GateResult(
            "mature outcomes", True, None, bound, "as the table tells; it does not say when they were known"
        )
        return
    passed = datetime.fromisoformat(known_by) <= datetime.fromisoformat(made_at).replace(tzinfo=None)
    told = f"the last outcome {'was' if passed else 'is only'} known on {known_by[:10]}"
    yield GateResult("mature outcomes", passed, None, bound, told)


def _enough(evidence: Record, policy: PolicySettings) -> Iterator[GateResult]:
    bad, rows, least = (*(_read(evidence, "measures", name) for name in ("bad", "rows")), policy.gates.minimum_bad)
    fewest = min(bad, rows - bad)
    told = f"{bad:,} bad and {rows - bad:,} good applications in the test part"
    yield GateResult("enough outcomes", fewest >= least, fewest, f"at least {least} of each outcome", told)


def _discrimination(evidence: Record, policy: PolicySettings) -> Iterator[GateResult]:
    auc, floor = _read(evidence, "measures", "measures", "auc", "value"), policy.gates.minimum_auc
    distance = f"{abs(auc - floor):.4f} {'above' if auc >= floor else 'below'} the floor of {floor:g}"
    yield GateResult("discrimination", auc >= floor, auc, f"AUC at least {floor:g}", f"AUC {auc:.4f}, {distance}")


def _calibration(evidence: Record, policy: PolicySettings) -> Iterator[GateResult]:
    ratio = _read(evidence, "measures", "measures", "expected_to_observed", "value")
    low, high = policy.gates.lowest_expected_to_observed, policy.gates.highest_expected_to_observed
    passed = low <= ratio <= high
    outside = "" if passed else f", {low - ratio if ratio < low else ratio - high:.3f} outside {low:g} to {high:g}"
    bound = f"expected over observed defaults from {low:g} to {high:g}"
    yield GateResult("calibration", passed, ratio, bound, f"expected over observed defaults {ratio:.3f}{outside}")


def _stability(evidence: Record, policy: PolicySettings) -> Iterator[GateResult]:
    psi, noise = (_read(evidence, "development", name) for name in ("psi", "noise"))
    most = policy.gates.largest_psi + noise
    told = f"PSI of the score from development to the test {psi:.3f} (noise alone reaches {noise:.3f})"
    yield GateResult("stable score", psi <= most, psi, f"PSI at most {policy.gates.largest_psi:g} beyond noise", told)


def _leak(evidence: Record, policy: PolicySettings) -> Iterator[GateResult]:
    leak = _read(evidence, "leak")
    kind, sampled = _read(evidence, "leak", "kind"), leak.get("sampled", 0)
    if kind == "recomputed":
        differing = leak["differing"]
        told = f"features of {sampled:,} applications, recomputed from what was known then, are identical"
        if differing:
            names = ", ".join(f"{name} ({count:,})" for name, count in list(differing.items())[:5])
            told = f"recomputed from what was known then, {len(differing)} features differ: {names} of {sampled:,}"
        bound = "identical to what a lake cut at the observation time gives"
        yield GateResult("no leak", not differing, float(len(differing)), bound, told)
        return
    if kind != "single_feature":
        raise NotMeasured(leak.get("why") or kind)
    telling = {name: auc for name, auc in leak["telling"].items() if name not in leak["waived"]}
    told = f"no single feature tells more than AUC {policy.gates.most_telling_auc:g}"
    if leak["waived"]:
        told += f" (waived: {', '.join(leak['waived'])})"
    if telling:
        names = ", ".join(f"{name} (AUC {auc:.3f})" for name, auc in telling.items())
        told = f"too good to be known beforehand: {names}; leave it out, or name it in policy.gates.waived"
    highest = max(leak["telling"].values(), default=None)
    yield GateResult(
        "no leak", not telling, highest, f"no single feature with AUC above {policy.gates.most_telling_auc:g}", told
    )


def _fair(evidence: Record, policy: PolicySettings) -> Iterator[GateResult]:
    wanted = policy.fairness
    if wanted.lowest_impact_ratio is wanted.largest_mean_difference is wanted.lowest_expected_to_observed is None:
        return
    groups = [one for one in _read(evidence, "fairness") if one["enough"]]
    if not groups:
        raise NotMeasured("no protected attribute with a group that is large enough; declare data.protected")
    if wanted.lowest_impact_ratio is not None:
        yield _worst(groups, "impact_ratio", "four-fifths ratio", wanted.lowest_impact_ratio, None)
    if wanted.largest_mean_difference is not None:
        most = wanted.largest_mean_difference
        yield _worst(groups, "mean_difference", "mean difference of points", -most, most)
    low, high = wanted.lowest_expected_to_observed, wanted.highest_expected_to_observed
    if low is not None and high is not None:
        yield _worst(groups, "expected_to_observed", "differences founded in risk", low, high, ("eo_low", "eo_high"))


def _worst(
    groups: list[Any], measure: str, gate: str, low: float, high: float | None, ends: tuple[str, str] | None = None
) -> GateResult:
    """Return the gate of the group that is furthest outside; with `ends` its whole interval must lie outside."""

    def outside(group: Record) -> float:
        least, most = (group[end] for end in ends) if ends else (group[measure],) * 2
        return float(low - most if high is None else max(low - most, least - high))

    judged = [group for group in groups if group[measure] is not None]
    if not judged:
        return GateResult(gate, False, None, "must be measured", f"not measured: no group has a {measure}")
    worst = max(judged, key=outside)
    bound = f"at least {low:g}" if high is None else f"from {low:g} to {high:g}"
    told = f"{worst[measure]:.3f} for {worst['attribute']} {worst['level']} ({worst['rows']:,} applications)"
    return GateResult(gate, outside(worst) <= 0, worst[measure], bound, told)


def _unseen(evidence: Record, policy: PolicySettings) -> Iterator[GateResult]:  # noqa: ARG001
    told = _read(evidence, "comparable")
    yield GateResult(
        "same test part", told["unseen"], None, "unseen by the champion, as far as its record tells", told["why"]
    )


def _same_outcome(evidence: Record, policy: PolicySettings) -> Iterator[GateResult]:  # noqa: ARG001
    told = _read(evidence, "comparable", "outcome")
    ours, theirs = told["challenger"], told["champion"]
    same = ours == theirs or None in (ours, theirs)
    sentence = (
        f"both learnt {ours}" if same else f"the champion learnt another outcome ({theirs}, the challenger {ours})"
    )
    if None in (ours, theirs):
        sentence = "as far as their records tell"
    yield GateResult("same outcome", same, None, "one loan contract for both", sentence)


def _claim(evidence: Record, policy: PolicySettings) -> Iterator[GateResult]:
    found, tried = _read(evidence, "difference"), _read(evidence, "tried_before")
    alpha = alpha_for(tried, policy.gates.confidence)
    name = f"{policy.gates.claim.value.replace('_', ' ')} to the champion"
    margin = 0.0 if policy.gates.claim is Claim.superior else policy.gates.auc_margin
    passed = found["p"] <= alpha
    bound = f"AUC difference above {-margin:g}, one-sided p at most {alpha:.4g}".replace("above -0,", "above 0,")
    before = f", {tried} challengers tried here before" if tried else ""
    interval = f"{found['low']:+.4f} to {found['high']:+.4f}, paired DeLong, p {found['p']:.3g}{before}"
    verdict = f"proven {'better' if not margin else f'not worse by {margin:g}'}" if passed else "not proven"
    yield GateResult(
        name, passed, found["p"], bound, f"AUC {found['auc']:+.4f} against the champion ({interval}); {verdict}"
    )


def _profit(evidence: Record, policy: PolicySettings) -> Iterator[GateResult]:
    change, margin = _read(evidence, "swap_set", "observed_change"), policy.gates.profit_margin
    floor = _read(evidence, "swap_set", "observed_floor")
    passed = floor >= -margin
    verdict = "no loss beyond the margin" if passed else f"may lose {-floor:.4f}, beyond the margin of {margin:g}"
    told = (
        f"profit at the cut-off changes by {change['value']:+.4f} per unit asked for ({change['low']:+.4f} to "
        f"{change['high']:+.4f}) where outcomes are observed; {verdict}"
    )
    yield GateResult("profit at the cut-off", passed, floor, f"95% lower bound at least {-margin:g}", told)
    inferred = _read(evidence, "swap_set", "inferred_change")
    sides = (_read(evidence, "swap_set", side, "inferred", "rows") for side in ("newly_approved", "newly_declined"))
    if rows := sum(sides):
        told = (
            f"inferred from {inferred['low']:+.4f} to {inferred['high']:+.4f} per unit asked for, {rows:,} swapped "
            "applications without an outcome"
        )
        bound = f"lower bound at least {-margin:g}"
        yield GateResult("profit where it is inferred", inferred["low"] >= -margin, inferred["low"], bound, told)


Gate = Callable[[Record, PolicySettings], Iterator[GateResult]]

GATES: dict[str, Gate] = {
    "mature outcomes": _mature,
    "enough outcomes": _enough,
    "discrimination": _discrimination,
    "calibration": _calibration,
    "stable score": _stability,
    "no leak": _leak,
    "fairness": _fair,
}
"""Asked of every version, the first champion included."""

AGAINST_A_CHAMPION: dict[str, Gate] = {
    "same test part": _unseen,
    "same outcome": _same_outcome,
    "claim against the champion": _claim,
    "profit at the cut-off": _profit,
}

NAMES = (
    *GATES,
    *AGAINST_A_CHAMPION,
    "four-fifths ratio",
    "mean difference of points",
    "differences founded in risk",
    "superior to the champion",
    "not inferior to the champion",
    "profit where it is inferred",
)
"""What a policy may name as advisory."""
