"""The tables of a marketplace: the columns of each, what they mean, and the rules that every row keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

TERMS = (3, 6, 12, 24)
"""Months that an instalment loan may run."""

APPROVED, DECLINED = "approved", "declined"

LARGEST_AMOUNT = 1_000_000_000
"""Minor units; a single order or principal above it is a fault of the data, and its square would leave int64."""


class Kind(Enum):
    """What a column holds, and the SQL type it is read as."""

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
    """A column of a contract. A nullable one may be empty in a row; an optional one may lack from the table.

    One that is empty where the column `zero_without` is empty as well says 0.
    """

    name: str
    kind: Kind
    nullable: bool = False
    optional: bool = False
    zero_without: str | None = None


@dataclass(frozen=True)
class Rule:
    """What must be true of a row, as SQL over the contract's columns; a row that breaks it is told `sentence`."""

    sentence: str
    holds: str


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


def _maybe(name: str, kind: Kind) -> Column:
    return Column(name, kind, nullable=True, optional=True)


def _not_negative(*names: str) -> tuple[Rule, ...]:
    return tuple(Rule(f"{name} is negative", f"{name} >= 0") for name in names)


def _at_most(*names: str) -> tuple[Rule, ...]:
    return tuple(
        Rule(f"{name} is above {LARGEST_AMOUNT:,} minor units", f"{name} <= {LARGEST_AMOUNT}") for name in names
    )


def _not_before(later: str, *earlier: str) -> tuple[Rule, ...]:
    return tuple(Rule(f"{later} lies before {one}", f"{later} >= {one}") for one in earlier)


CUSTOMERS = TableContract(
    "customers",
    (
        Column("customer_id", Kind.identifier),
        Column("registered_at", Kind.time),
        _maybe("birth_year", Kind.whole),  # protected
        _maybe("sex", Kind.text),  # protected
    ),
    key=("customer_id",),
    rules=(Rule("birth_year is not between 1900 and 2100", "birth_year between 1900 and 2100"),),
)

ORDERS = TableContract(
    "orders",
    (
        Column("order_id", Kind.identifier),
        Column("customer_id", Kind.identifier),
        Column("ordered_at", Kind.time),
        Column("amount", Kind.money),  # what the basket cost, after its discount
        _maybe("category", Kind.text),
        _maybe("discount", Kind.money),
        _maybe("channel", Kind.text),
        _maybe("payment_method", Kind.text),
        _maybe("returned_at", Kind.time),
        _maybe("cancelled_at", Kind.time),
        _maybe("available_at", Kind.time),  # when the record reached the lake; by default at once
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
        Column("application_id", Kind.identifier),
        Column("customer_id", Kind.identifier),
        Column("applied_at", Kind.time),
        _maybe("order_id", Kind.identifier),  # the order that the loan finances
        Column("principal", Kind.money),
        Column("term", Kind.whole),  # months
        _maybe("basket_category", Kind.text),
        _maybe("price", Kind.number),  # the annual rate that was offered; never a feature
        Column("decision", Kind.text),
        _maybe("decision_score", Kind.number),  # of the policy of that day; never a feature
        _maybe("is_random_approval", Kind.flag),  # approved by lot, so that its outcome can be learnt from
        _maybe("disbursed_at", Kind.time),
        _maybe("refunded_at", Kind.time),
        _maybe("fraud_confirmed_at", Kind.time),
        _maybe("written_off_at", Kind.time),
    ),
    key=("application_id",),
    rules=(
        Rule("principal is not above 0", "principal > 0"),
        *_at_most("principal"),
        Rule(f"term is none of {', '.join(map(str, TERMS))} months", f"term in {TERMS}"),
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
        Column("application_id", Kind.identifier),
        Column("number", Kind.whole),  # 1 is the first
        Column("due_at", Kind.time),
        Column("due_amount", Kind.money),
        _maybe("paid_at", Kind.time),  # when the last payment towards it arrived
        # All that was paid towards it; less than due means still unpaid.
        Column("paid_amount", Kind.money, zero_without="paid_at"),
    ),
    key=("application_id", "number"),
    rules=(
        Rule("number is not between 1 and 24", "number between 1 and 24"),
        Rule("due_amount is not above 0", "due_amount > 0"),
        *_not_negative("paid_amount"),
        *_at_most("due_amount", "paid_amount"),
        Rule("paid_at is missing where something was paid", "paid_at is not null or paid_amount = 0"),
        Rule("paid_at lies years before due_at", "paid_at >= due_at - interval 25 month"),
    ),
)

CONTRACTS: Sequence[TableContract] = (CUSTOMERS, ORDERS, APPLICATIONS, INSTALMENTS)
