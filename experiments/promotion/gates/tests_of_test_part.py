"""A test part is not tested on again and again: the best of many tests looks better than it is."""

from experiments.promotion.gates.gate import Figure, Gate, Record, read
from pipelines.policy.decision_rule import Bound, Interval
from pipelines.policy.pack import PolicySettings

ADVICE = "tune on newer applications, or with a later split.cutoff: their test part is another one"


def _judge(evidence: Record, policy: PolicySettings) -> Figure | None:
    most = policy.gates.most_tests_of_one_test_part
    if most is None:
        return None
    earlier = read(evidence, "earlier_tests")
    refused = sum(test["decision"] == "refused" for test in earlier)
    number = len(earlier) + 1
    return Figure(
        f"test {number:,} of this model on its test part ({refused:,} of {len(earlier):,} before were refused)",
        Interval(number),
        Bound(high=most),
        f"at most {most:,}",
        spec=",.0f",
        noun="count",
        note=ADVICE if number > most else "",
    )


GATE = Gate("tests of one test part", 27, _judge)
