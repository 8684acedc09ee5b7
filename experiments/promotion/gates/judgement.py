"""Judges an evidence record by all registered gates."""

from collections.abc import Sequence
from dataclasses import replace

from experiments.promotion.gates.gate import Gate, GateResult, NotMeasured, Record
from pipelines.command.registry import registered
from pipelines.errors import ConfigurationError, nearest
from pipelines.policy.pack import PolicySettings


def gates() -> list[Gate]:
    """Return the registered gates in the order in which they are judged."""
    return sorted(registered("experiments.promotion.gates", Gate), key=lambda gate: gate.position)


def judge(evidence: Record, policy: PolicySettings) -> list[GateResult]:
    """Return the result of each gate that the policy requires; those listed in policy.gates.advisory do not block."""
    advisory, is_first = set(policy.gates.advisory), evidence["about"]["champion"] is None
    results = [
        (gate, _judge_one(gate, evidence, policy)) for gate in gates() if not (is_first and gate.against_champion)
    ]
    return [
        replace(result, gate=gate.name, blocking=advisory.isdisjoint(gate.names))
        for gate, result in results
        if result is not None
    ]


def lets_through(results: Sequence[GateResult]) -> bool:
    """Return whether all blocking gates passed."""
    return all(result.passed for result in results if result.blocking)


def check_gate_names(policy: PolicySettings) -> None:
    """Raise ConfigurationError for a name in policy.gates.advisory that no gate has."""
    names = {name for gate in gates() for name in gate.names}
    for name in policy.gates.advisory:
        if name not in names:
            raise ConfigurationError(f"unknown gate '{name}' in policy.gates.advisory; {nearest(name, names)}")


def _judge_one(gate: Gate, evidence: Record, policy: PolicySettings) -> GateResult | None:
    try:
        return gate.judge(evidence, policy)
    except NotMeasured as missing:
        return GateResult(False, None, "must be measured", str(missing), measured=False)
