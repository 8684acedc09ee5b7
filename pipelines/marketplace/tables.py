"""The four tables of a marketplace: their columns, what each column means, and the rules for every row."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

APPROVED, DECLINED = "approved", "declined"

BAD_FLAG = "bad_flag"
"""Column of the applications with the lender's own label."""

LARGEST_AMOUNT = 1_000_000_000
"""Minor units. A larger order or principal is an error in the data, and its square would exceed int64."""


class Kind(Enum):
    """The kind of values in a column, and the SQL type they are read as."""

    identifier = "identifier"
    """A 64-bit integer or text, kept as it is."""
    text = "varchar"
    time = "timestamp"
    """UTC, microseconds, without a zone."""
    money = "bigint"
    """The currency's minor unit."""
    whole = "integer"
    number = "double"
    flag = "boolean"


@dataclass(frozen=True)
class Column:
    """A column of a contract; `meaning` is its description in the documentation, with unit and allowed values.

    A nullable column may be empty in a row; an optional column may be absent from the table. An empty value counts as
    0 where the column `zero_without` is empty too.
    """

    name: str
    kind: Kind
    meaning: str = ""
    nullable: bool = False
    optional: bool = False
    zero_without: str | None = None


@dataclass(frozen=True)
class Rule:
    """A condition on a row: `holds` is SQL over the contract's columns, `sentence` describes a row that breaks it.

    `order` has the earlier and the later column of a rule on the order of two times, which dates alone keep by day.
    """

    sentence: str
    holds: str
    order: tuple[str, str] | None = None


@dataclass(frozen=True)
class TableContract:
    """One table: its columns, its key (one row per value), and its rules."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rules: tuple[Rule, ...]

    def of_kind(self, kind: Kind) -> tuple[str, ...]:
        """Return the names of the columns of one kind."""
        return tuple(column.name for column in self.columns if column.kind is kind)


def _optional(name: str, kind: Kind, meaning: str) -> Column:
    return Column(name, kind, meaning, nullable=True, optional=True)


def _not_negative(*names: str) -> tuple[Rule, ...]:
    return tuple(Rule(f"{name} is negative", f"{name} >= 0") for name in names)


def _at_most(*names: str) -> tuple[Rule, ...]:
    return tuple(
        Rule(f"{name} is above {LARGEST_AMOUNT:,} minor units", f"{name} <= {LARGEST_AMOUNT}") for name in names
    )


def _not_before(later: str, *earlier: str) -> tuple[Rule, ...]:
    return tuple(Rule(f"{later} is before {one}", f"{later} >= {one}", order=(one, later)) for one in earlier)


CUSTOMERS = TableContract(
    "customers",
    (
        Column("customer_id", Kind.identifier, "The customer."),
        Column("registered_at", Kind.time, "When the customer registered."),
        _optional("birth_year", Kind.whole, "Year of birth, 1900 to 2100. Protected: never a feature."),
        _optional("sex", Kind.text, "Sex. Protected: never a feature."),
    ),
    key=("customer_id",),
    rules=(Rule("birth_year is not between 1900 and 2100", "birth_year between 1900 and 2100"),),
)

ORDERS = TableContract(
    "orders",
    (
        Column("order_id", Kind.identifier, "The order."),
        Column("customer_id", Kind.identifier, "The customer who placed the order."),
        Column("ordered_at", Kind.time, "When the order was placed."),
        Column("amount", Kind.money, "Price of the basket after its discount."),
        _optional("category", Kind.text, "Category of the goods, one of the levels in features.categories."),
        _optional("discount", Kind.money, "Discount on the basket."),
        _optional("channel", Kind.text, "Sales channel, one of the levels in features.channels."),
        _optional("payment_method", Kind.text, "Payment method, one of the levels in features.payment_methods."),
        _optional("marketplace", Kind.text, "Marketplace of the order, one of the levels in features.marketplaces."),
        _optional("returned_at", Kind.time, "When the order was returned; empty if it was not."),
        _optional("cancelled_at", Kind.time, "When the order was cancelled; empty if it was not."),
        _optional("available_at", Kind.time, "When the record reached the data lake; empty means at once."),
    ),
    key=("order_id",),
    rules=(
        *_not_negative("amount", "discount"),
        *_at_most("amount", "discount"),
        *_not_before("returned_at", "ordered_at"),
        *_not_before("cancelled_at", "ordered_at"),
    ),
)

APPLICATIONS = TableContract(
    "applications",
    (
        Column("application_id", Kind.identifier, "The application, and the loan that follows from it."),
        Column("customer_id", Kind.identifier, "The customer who applied."),
        Column("applied_at", Kind.time, "When the application was made: the observation time of its features."),
        _optional("order_id", Kind.identifier, "The order that the loan finances."),
        Column("principal", Kind.money, "Amount applied for, above 0."),
        Column("term", Kind.whole, "Term, one of loan.terms in their unit; by default 3, 6, 12 or 24 months."),
        _optional("basket_category", Kind.text, "Category of the financed order."),
        _optional("marketplace", Kind.text, "Marketplace of the application; for segments, not a feature."),
        _optional("price", Kind.number, "Annual interest rate offered, such as 0.12. Never a feature."),
        Column("decision", Kind.text, "Decision of the earlier policy: approved or declined."),
        _optional("decision_score", Kind.number, "Score of the earlier policy. Never a feature."),
        _optional("is_random_approval", Kind.flag, "Whether the application was approved at random."),
        _optional("disbursed_at", Kind.time, "When the loan was paid out; empty if it was not."),
        _optional("refunded_at", Kind.time, "When the financed order was refunded; empty if it was not."),
        _optional("fraud_confirmed_at", Kind.time, "When fraud was confirmed; empty if it was not."),
        _optional("written_off_at", Kind.time, "When the loan was written off; empty if it was not."),
        _optional(BAD_FLAG, Kind.flag, "The lender's own flag of a default, the column that loan.bad_flag names."),
    ),
    key=("application_id",),
    rules=(
        Rule("principal is not above 0", "principal > 0"),
        *_at_most("principal"),
        Rule(f"decision is neither {APPROVED} nor {DECLINED}", f"decision in ('{APPROVED}', '{DECLINED}')"),
        Rule("a declined application was disbursed", f"decision = '{APPROVED}' or disbursed_at is null"),
        *_not_before("disbursed_at", "applied_at"),
        *_not_before("refunded_at", "disbursed_at"),
        *_not_before("written_off_at", "disbursed_at"),
    ),
)

INSTALMENTS = TableContract(
    "instalments",
    (
        Column("application_id", Kind.identifier, "The application whose loan the instalment repays."),
        Column(
            "number", Kind.whole, "Number of the instalment in its loan, from 1 to the most that loan.terms allows."
        ),
        Column("due_at", Kind.time, "When the instalment is due."),
        Column("due_amount", Kind.money, "Amount due, above 0."),
        _optional("paid_at", Kind.time, "When the last payment arrived; empty if nothing was paid."),
        Column(
            "paid_amount",
            Kind.money,
            "Total paid towards the instalment; less than due_amount means unpaid. Empty means 0 if paid_at is empty.",
            zero_without="paid_at",
        ),
    ),
    key=("application_id", "number"),
    rules=(
        Rule("due_amount is not above 0", "due_amount > 0"),
        *_not_negative("paid_amount"),
        *_at_most("due_amount", "paid_amount"),
        Rule("paid_at is missing although paid_amount is above 0", "paid_at is not null or paid_amount = 0"),
    ),
)

ROW = "thinfile_row"
"""The number of a row of a user's own applications."""

OWN_APPLICATIONS = TableContract(
    "own_applications",
    (
        Column(ROW, Kind.identifier, "The number of the row, which is added."),
        Column("customer_id", Kind.identifier, "The customer who applied."),
        Column("applied_at", Kind.time, "When the application was made: features are known strictly before it."),
        _optional("order_id", Kind.identifier, "The order that the loan finances, which is not history."),
        _optional("principal", Kind.money, "Amount applied for."),
        _optional("term", Kind.whole, "Term, in the periods of the loan contract."),
        _optional("basket_category", Kind.text, "Category of the financed order."),
    ),
    key=(ROW,),
    rules=(),
)
"""A user's own applications, to which `thinfile prepare` joins purchase features; other columns are kept."""

CONTRACTS: Sequence[TableContract] = (CUSTOMERS, ORDERS, APPLICATIONS, INSTALMENTS)
