"""The definitions of early reads: outcomes that are known months before those of the model's own definition."""

from collections.abc import Mapping

from pipelines.credit.loan import DEFINITIONS, FIRST_PAYMENT, BadDefinition

EARLY_READ = "dpd30_in_92_days"
"""30+ at 3 MOB in days: the second instalment counts in each vintage. By calendar months it does not where it is due in
February, so that the loans of each December look better."""

EARLY_READS: Mapping[str, BadDefinition] = {
    FIRST_PAYMENT: DEFINITIONS[FIRST_PAYMENT],
    EARLY_READ: BadDefinition(30, window_days=92),
}
"""Early reads that any schedule of instalments gives, by name."""
