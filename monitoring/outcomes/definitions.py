"""Which definitions of bad a report of a marketplace reads: the model's own, and an early read of it."""

from collections.abc import Mapping

from monitoring.outcomes.early_reads import EARLY_READ
from monitoring.outcomes.settings import OutcomeSettings
from pipelines.credit.loan import DEFINITIONS, LoanContract
from pipelines.credit.outcome_words import outcome_words
from pipelines.errors import ConfigurationError

CONTRACT = "contract"
"""The definition of the loan contract that a marketplace was prepared with."""

USUAL = "dpd90_in_12_months"
"""The definition of PDs of a model without a record, on a marketplace with a contract in common use."""

LONGEST_EARLY = 93
"""Days: the own definition of so short a window is its own early read."""


def own_definition(known: Mapping[str, LoanContract], outcome: str | None) -> str | None:
    """Return the name of the definition that a model learnt, None where it is none of the known ones.

    `outcome` is what the model's record says, None without one.
    """
    if outcome is not None:
        return next((name for name, contract in known.items() if outcome_words(contract) == outcome), None)
    own = known.get(CONTRACT)
    is_usual = own is None or (own.bad_flag is None and own.bad in DEFINITIONS.values())
    return USUAL if is_usual else CONTRACT


def chosen_definitions(
    settings: OutcomeSettings, known: Mapping[str, LoanContract], own: str | None
) -> tuple[str, str]:
    """Return the names of the early and the full definition; `own` is the model's.

    Raises:
        ConfigurationError: the model's definition is none of the known ones and none is set.
    """
    full = settings.full or own
    if full is None:
        raise ConfigurationError(
            f"the marketplace does not have the definition that the model learnt (it has {', '.join(known)}); prepare "
            "it with the model's definition, or set outcomes.full to compare with another one"
        )
    contract = known.get(full)
    is_short = contract is not None and contract.bad.longest_window_days <= LONGEST_EARLY
    return full if is_short and settings.early == EARLY_READ else settings.early, full
