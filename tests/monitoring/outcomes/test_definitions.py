"""Which definitions of bad a report reads: the model's own unless another one is named."""

import pytest

from monitoring.outcomes.definitions import CONTRACT, chosen_definitions, own_definition
from monitoring.outcomes.early_reads import EARLY_READ, EARLY_READS
from monitoring.outcomes.settings import OutcomeSettings
from pipelines.credit.loan import DEFINITIONS, BadDefinition, LoanContract
from pipelines.credit.outcome_words import outcome_words
from pipelines.errors import ConfigurationError

KNOWN = {name: LoanContract(bad, "2026-01-01") for name, bad in {**DEFINITIONS, **EARLY_READS}.items()}
WEEKS = {**KNOWN, CONTRACT: LoanContract(BadDefinition(14, window_days=60), "2026-01-01")}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_definition_of_the_model_is_read_by_its_record(name: str) -> None:
    outcome = outcome_words(KNOWN[name])
    assert own_definition(KNOWN, outcome) == name
    assert chosen_definitions(OutcomeSettings(), KNOWN, name)[1] == name


@pytest.mark.parametrize(("known", "own"), [(KNOWN, "dpd90_in_12_months"), (WEEKS, CONTRACT)])
def test_a_model_without_a_record_has_the_usual_definition(known: dict[str, LoanContract], own: str) -> None:
    assert own_definition(known, None) == own


@pytest.mark.parametrize(
    ("own", "early"), [("dpd90_in_12_months", EARLY_READ), ("dpd30_at_3_mob", "dpd30_at_3_mob"), (CONTRACT, CONTRACT)]
)
def test_a_short_definition_is_its_own_early_read(own: str, early: str) -> None:
    assert chosen_definitions(OutcomeSettings(), WEEKS, own) == (early, own)
    assert chosen_definitions(OutcomeSettings(early="first_payment_default"), WEEKS, own)[0] == "first_payment_default"


def test_a_definition_that_nobody_knows_is_refused_unless_another_is_named() -> None:
    own = own_definition(KNOWN, "an instalment 14 days past due within 60 days on book")
    assert own is None
    with pytest.raises(ConfigurationError, match=r"set outcomes\.full to compare with another one"):
        chosen_definitions(OutcomeSettings(), KNOWN, own)
    named = OutcomeSettings(full="dpd90_in_12_months")
    assert chosen_definitions(named, KNOWN, own) == (EARLY_READ, "dpd90_in_12_months")
