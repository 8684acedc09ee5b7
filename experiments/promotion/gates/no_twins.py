"""No application of the test part has a twin in development."""

from experiments.promotion.gates.figures import answered
from experiments.promotion.gates.gate import Gate, GateResult, Record, read
from pipelines.policy.pack import PolicySettings

CHECKED = "checked: equal features, all features but one equal, equal values of data.group"


def _judge(evidence: Record, policy: PolicySettings) -> GateResult:  # noqa: ARG001
    across, tested = (int(read(evidence, "twins", name)) for name in ("across", "test_rows"))
    kinds = read(evidence, "twins", "kinds")
    statement = (
        f"{across:,} of {tested:,} test applications have a twin in development (twins in the data: {kinds or 'none'})"
    )
    advice = f"tune again; {CHECKED}" if across else CHECKED
    return answered(not across, statement, "none", "the count decides", note=advice, value=float(across))


GATE = Gate("no twins", 25, _judge)
