"""Judges an evidence record by all registered gates."""

from collections.abc import Sequence
from dataclasses import replace

from experiments.promotion.gates.gate import EvidenceMissing, Gate, GateResult, NotMeasured, Record
from pipelines.command.registry import registered
from pipelines.errors import ConfigurationError, nearest
from pipelines.policy.pack import PolicySettings


def gates() -> list[Gate]:
    """Return the registered gates in the order in which they are judged."""
    return sorted(registered("experiments.promotion.gates", Gate), key=lambda gate: gate.position)


def judge(evidence: Record, policy: PolicySettings) -> list[GateResult]:
    """Return the result of each gate that the policy requires.

    Gates in policy.gates.advisory do not block; those in policy.gates.may_be_unmeasured do not where the data cannot
    answer them.
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
    """Raise ConfigurationError for a name in policy.gates.advisory or may_be_unmeasured that no gate has."""
    names = {name for gate in gates() for name in gate.names}
    lists = {"advisory": policy.gates.advisory, "may_be_unmeasured": policy.gates.may_be_unmeasured}
    for key, listed in lists.items():
        for name in listed:
            if name not in names:
                raise ConfigurationError(f"unknown gate '{name}' in policy.gates.{key}; {nearest(name, names)}")


def _judge_one(gate: Gate, evidence: Record, policy: PolicySettings) -> GateResult | None:
    tolerated = set(policy.gates.advisory)
    try:
        result = gate.judge(evidence, policy)
    except NotMeasured as reason:
        if not isinstance(reason, EvidenceMissing):
            tolerated |= set(policy.gates.may_be_unmeasured)
        result = GateResult(False, None, "must be measured", str(reason), measured=False)
    return result and replace(result, gate=gate.name, blocking=tolerated.isdisjoint(gate.names))
