"""The rules that the loan contract adds to those of the tables: terms, numbers of instalments, sums of schedules."""

from dataclasses import dataclass, field

from pipelines.credit.loan import LoanContract
from pipelines.credit.periods import Period, Repayment
from pipelines.marketplace.rules import Check

WRONG_SUM = Check(
    "instalments do not sum to the principal and charges from loan.lowest_charges to loan.highest_charges",
    "application_id in (from loans_with_wrong_sums)",
    "principal",
)


@dataclass(frozen=True)
class LoanRules:
    """The rules of the loan contract for the rows of applications and instalments.

    Loans do not `need_instalments` where the lender's own flag is their label.
    """

    terms: tuple[int, ...] = (3, 6, 12, 24)
    repayment: Repayment = field(default_factory=Repayment)
    lowest_charges: float = 0.0
    highest_charges: float = 1.0
    need_instalments: bool = True

    @classmethod
    def of(cls, loan: LoanContract) -> "LoanRules":
        """Return the rules of a loan contract."""
        needed = loan.bad_flag is None
        return cls(tuple(loan.terms), loan.repayment, loan.lowest_charges, loan.highest_charges, needed)

    @property
    def allowed_terms(self) -> str:
        """The terms in words.

        >>> LoanRules().allowed_terms, LoanRules((30,), Repayment(Period.day, None)).allowed_terms
        ('one of 3, 6, 12, 24 months', '30 days')
        """
        if len(self.terms) == 1:
            return self.repayment.period.counted(self.terms[0])
        return f"one of {', '.join(map(str, self.terms))} {self.repayment.period.value}s"

    def checks(self, table: str) -> tuple[Check, ...]:
        """Return the rules for the rows of a table."""
        if table == "applications":
            terms = ", ".join(map(str, self.terms))
            return (Check(f"term is not {self.allowed_terms}", f"(term in ({terms})) is false", "term"),)
        if table == "instalments":
            most, early = self.repayment.instalments(self.terms[-1]), self._earliest_payment
            return (
                Check(f"number is not between 1 and {most}", f"(number between 1 and {most}) is false", "number"),
                Check(
                    f"paid_at is more than {early} before due_at",
                    f"(paid_at >= due_at - interval '{early}') is false",
                    "paid_at",
                ),
            )
        return ()

    @property
    def _earliest_payment(self) -> str:
        """The longest term and one month more: nothing is paid so long before it is due."""
        beyond = {Period.day: 31, Period.week: 5, Period.month: 1}[self.repayment.period]
        return self.repayment.period.counted(self.terms[-1] + beyond)

    def wrong_sums(self, instalments: str) -> str:
        """Return SQL for the disbursed loans whose instalments do not sum to the principal and charges within bounds.

        A minor unit for each instalment is left to rounding.
        """
        return f"""
            select loan_id from loans join (
                select application_id, sum(due_amount) as owed, count(*) as parts from {instalments} group by all
            ) on application_id = loan_id
            where loan_was_disbursed and (owed + parts < loan_principal * (1 + {self.lowest_charges!r})
               or owed - parts > loan_principal * (1 + {self.highest_charges!r}))"""
