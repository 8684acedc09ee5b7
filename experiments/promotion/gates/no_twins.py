"""No application of the test part has a twin in development."""

from experiments.promotion.gates.gate import Gate, GateResult, Record, read
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> GateResult:  # noqa: ARG001
    across, tested = read(evidence, "twins", "across"), read(evidence, "twins", "test_rows")
    kinds = read(evidence, "twins", "kinds")
    bound = "no test application has a twin in development"
    if across:
        sentence = f"{across:,} of {tested:,} test applications have a twin in development ({kinds}); tune again"
    else:
        sentence = (
            f"none of {tested:,} test applications has a twin in development (twins in the data: {kinds or 'none'})"
        )
    checked = "checked: equal features, all features but one equal, equal values of data.group"
    return GateResult(not across, float(across), bound, f"{sentence}; {checked}")


GATE = Gate("no twins", 25, _judge)
