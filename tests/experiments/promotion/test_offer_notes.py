"""A promotion says where the offers of the policy are for other loans than the model learnt from."""

from dataclasses import replace
from typing import Any

import pytest

from experiments.promotion.promote import offer_notes
from pipelines.credit.loan import DEFINITIONS, BadDefinition, LoanContract
from pipelines.credit.periods import Period, Repayment
from pipelines.policy.offer_settings import OfferSettings
from pipelines.policy.pack import PolicySettings
from pipelines.storage.json_values import to_json_values

MONTHLY = LoanContract(DEFINITIONS["dpd90_in_12_months"], "2026-06-30")
SHORT = LoanContract(BadDefinition(14, window_days=60), "2026-06-30", terms=[30], repayment=Repayment(Period.day, None))


def manifest_of(contract: LoanContract) -> dict[str, Any]:
    return {"configuration": {"loan": to_json_values(contract)}}


@pytest.mark.parametrize("contract", [MONTHLY, replace(MONTHLY, bad_flag="charged_off"), replace(MONTHLY, terms=[60])])
def test_offers_for_the_loans_of_the_model_need_no_note(contract: LoanContract) -> None:
    assert offer_notes(PolicySettings(), manifest_of(contract)) == []


def test_a_table_that_was_not_prepared_here_has_no_known_loans() -> None:
    assert offer_notes(PolicySettings(), {}) == []


def test_another_definition_and_another_repayment_are_noted() -> None:
    definition, repayment = offer_notes(PolicySettings(), manifest_of(SHORT))
    assert (
        "90 days past due within 12 months on book, and the model's PD is for 14 days past due within 60" in definition
    )
    assert "policy.offers.repayment is not that of the loan contract (days, every=None)" in repayment
    offers = OfferSettings(terms=[30], repayment=SHORT.repayment, bad=SHORT.bad)
    assert offer_notes(PolicySettings(offers=offers), manifest_of(SHORT)) == []
