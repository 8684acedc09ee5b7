"""Hand-made schedules get the label and the maturity that a credit analyst would give them."""

from pipelines.credit.loan import labels, statuses
from tests.evidence.conftest import Evidence
from tests.pipelines.credit.schedules import columns
from tests.pipelines.credit.test_loan import CASES, contract_of


def test_schedules_get_what_a_credit_analyst_says(evidence: Evidence) -> None:
    right = 0
    for case in CASES:
        loans, instalments = columns(case.schedule)
        contract = contract_of(case.definition, case.as_of)
        found = statuses(loans, instalments, contract)[0], labels(loans, instalments, contract)[0]
        right += found == (case.status, case.label)
    evidence.record(
        "19-labels",
        claim="hand-made schedules (paid early, late once, cured, written off, refunded, paid in part, still open, "
        "month ends, the very moment) get the status and the label of a credit analyst",
        value=f"{right} of {len(CASES)} schedules",
        bound="all",
        holds=right == len(CASES),
    )
    assert right == len(CASES)
