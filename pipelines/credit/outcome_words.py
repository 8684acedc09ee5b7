"""What a bad outcome is by a loan contract, in the words of a model's record."""

from pipelines.credit.loan import LoanContract


def outcome_words(contract: LoanContract) -> str:
    """Return what a bad outcome is, in words.

    >>> from pipelines.credit.loan import BadDefinition
    >>> outcome_words(LoanContract(BadDefinition(90, 12), "2026-06-30"))
    'an instalment 90 days past due within 12 months on book'
    """
    if contract.bad_flag is not None:
        return contract.definition
    what = "the first instalment" if contract.bad.first_instalment_only else "an instalment"
    return f"{what} {contract.definition}"
