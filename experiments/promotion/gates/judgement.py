"""Judges an evidence record by all registered gates."""

from collections.abc import Sequence
from dataclasses import replace

from experiments.promotion.gates.figures import decide
from experiments.promotion.gates.gate import EvidenceMissing, Figure, Gate, GateResult, NotMeasured, Record
from pipelines.command.registry import registered
from pipelines.errors import ConfigurationError, nearest
from pipelines.policy.pack import PolicySettings


def gates() -> list[Gate]:
    """Return the registered gates in the order in which they are judged."""
    return sorted(registered("experiments.promotion.gates", Gate), key=lambda gate: gate.position)


def judge(evidence: Record, policy: PolicySettings) -> list[GateResult]:
    """Return the result of each gate that the policy requires.

    Gates in policy.gates.advisory do not block, nor do warnings that are not in policy.gates.blocking; those in
    policy.gates.may_be_unmeasured do not where the data cannot answer them.
    """
    is_first = evidence["about"]["champion"] is None
    results = []
    for gate in gates():
        result = None if is_first and gate.against_champion else _judge_one(gate, evidence, policy)
        if result is not None:
            results.append(result)
    return results


def lets_through(results: Sequence[GateResult]) -> bool:
    """Return whether all blocking gates passed."""
    return all(result.passed for result in results if result.blocking)


def check_gate_names(policy: PolicySettings) -> None:
    """Raise ConfigurationError for a gate that policy.gates names and that does not exist, or has no interval."""
    names = {name for gate in gates() for name in gate.names}
    with_interval = {name for gate in gates() if gate.has_interval for name in gate.names}
    for key in ("advisory", "may_be_unmeasured", "blocking", "decides_by_gate"):
        for name in getattr(policy.gates, key):
            if name not in names:
                raise ConfigurationError(f"unknown gate '{name}' in policy.gates.{key}; {nearest(name, names)}")
            if key == "decides_by_gate" and name not in with_interval:
                raise ConfigurationError(
                    f"policy.gates.decides_by_gate names '{name}', whose figure has no interval; name one of "
                    f"{', '.join(sorted(with_interval))}"
                )


def _judge_one(gate: Gate, evidence: Record, policy: PolicySettings) -> GateResult | None:
    tolerated = set(policy.gates.advisory)
    if gate.is_warning and gate.names.isdisjoint(policy.gates.blocking):
        tolerated.add(gate.name)
    try:
        shown = gate.judge(evidence, policy)
        if shown is not None and not isinstance(shown, GateResult):
            shown = decide([shown] if isinstance(shown, Figure) else shown, gate.decided_by(policy))
    except NotMeasured as reason:
        if not isinstance(reason, EvidenceMissing):
            tolerated |= set(policy.gates.may_be_unmeasured)
        shown = GateResult(False, None, "must be measured", str(reason), measured=False)
    return shown and replace(shown, gate=gate.name, blocking=tolerated.isdisjoint(gate.names))
