"""The label that a model learnt, and what the values of a table of outcomes mean by it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pipelines.credit.loan import BAD, GOOD
from pipelines.errors import DataError
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import DATA_RECORD, OUTCOME
from pipelines.secrets.environment_text import resolved

USUAL = {"1": BAD, "0": GOOD}
"""Values of outcomes that need no label."""

Meanings = Mapping[str, int]


@dataclass(frozen=True)
class Label:
    """The column and the two values of a label; `good` is None where it is not recorded.

    `nulls` are words that mean missing, `months` those in which a loan can turn bad, None where they are not declared.
    `outcome` is the definition of a bad loan in the model's record (`outcome_words`), None where it has none.
    """

    column: str = "bad"
    bad: str = "1"
    good: str | None = "0"
    nulls: tuple[str, ...] = ()
    months: int | None = None
    outcome: str | None = None

    def meanings(self, words: Collection[str], column: str) -> Meanings:
        """Return the code of each value of a column of outcomes: by the label, or 1 and 0 where it has neither.

        Raises:
            DataError: a value has no meaning, or the opposite one in a column with another name than the label's.
        """
        own = self._own(words)
        if own.keys() >= {*words}:
            if column != self.column and USUAL.keys() >= {*words} and any(own[one] != USUAL[one] for one in words):
                raise DataError(
                    f"outcome column '{column}' has only {_listed(words)}, and the label '{self.column}' of the model "
                    f"has {self}; set outcomes.bad_value to the value of '{column}' that means default"
                )
            return own
        if USUAL.keys() >= {*words} and not USUAL.keys() & own.keys():
            return USUAL
        usual = "" if USUAL.keys() & own.keys() else " or, throughout, 1 (bad) and 0 (good)"
        odd = min({*words} - own.keys(), key=lambda one: (bool(usual) and one in USUAL, one))
        raise DataError(
            f"outcome column '{column}' has the value {odd}, and the label of the model has {self}; use these{usual}, "
            "an empty value while the outcome is unknown, or set outcomes.bad_value to the value that means default"
        )

    def _own(self, words: Collection[str]) -> dict[str, int]:
        """Return the codes of the label's values; where its good one is not recorded, the only other word is that."""
        rest = {*words} - {self.bad}
        good = rest.pop() if self.good is None and len(rest) == 1 and self.bad in words else self.good
        return {self.bad: BAD} | ({} if good is None else {good: GOOD})

    def __str__(self) -> str:
        return f"{self.bad} (bad)" + (f" and {self.good} (good)" if self.good is not None else "")


def declared_meanings(words: Collection[str], column: str, bad: str) -> Meanings:
    """Return the codes of the values of a column whose bad value is declared. Raises DataError for two others."""
    others = sorted({*words} - {bad})
    if len(others) > 1:
        raise DataError(
            f"outcome column '{column}' has {_listed(others)} besides {bad}, the value of outcomes.bad_value; keep one "
            "that means good, and leave unknown outcomes empty"
        )
    return {bad: BAD} | dict.fromkeys(others, GOOD)


def label_of(store: ModelStore, model: RegisteredModel) -> Label:
    """Return the label of the search that made a model; without such a search, bad is 1 and good is 0."""
    settings, data = store.read_record(model.run_id), store.read_record(model.run_id, DATA_RECORD)
    outcome = model.tags.get(OUTCOME)
    if settings is None or settings["data"]["label"] is None:
        return Label(outcome=outcome)
    declared, recorded = resolved(settings["data"]), (data or {}).get("label", {})
    bad = recorded.get("bad") or declared["bad"] or "1"
    good = recorded.get("good") or ("0" if declared["bad"] is None else None)
    months = declared.get("performance_months")
    return Label(declared["label"], bad, good, tuple(declared.get("nulls", ())), months, outcome)


def _listed(words: Collection[str]) -> str:
    shown = sorted(words)
    return ", ".join(shown[:4]) + (", ..." if len(shown) > 4 else "")
