"""The settings of a table of applications and of its split: the schema behind conf/data."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING


class Source(Enum):
    """Where applications come from."""

    german_credit = "german_credit"
    table = "table"
    marketplace = "marketplace"


@dataclass
class DataSettings:
    """One flat table of applications, described by the roles of its columns.

    `label` holds two values, of which `bad` means default. Columns without a role are inferred when `infer` is on, and
    the inference is shown. `protected` columns are never features; they travel beside the data.
    `max_quarantined` is the share of rows that may break the contract before the run stops. `status` says of each row
    whether its outcome is mature; labels are taken of mature rows only. `outcome_known_at` is when the outcome was
    known: what a model is judged on lies after all outcomes that it learnt from. `through_the_door` is the table of all
    who asked, declined and immature ones included: a model's reference profile is taken from those of its test's time;
    for a marketplace it is by default the one beside the training table. There `decision` says what the policy of the
    time decided, `approved` being the value of the approved ones, and `by_lot` which of these it would have declined
    and approved at random, so that outcomes of such applications are seen. `amount` is the feature that holds the
    amount asked for, which profit is counted in; without it every application counts as one. `meanings` says in plain
    words what a feature means, `reason_groups` which features are one reason for an applicant. `customer` says whose
    application it is; `segment` is a column by whose values a scored period is counted as well, which may be a feature
    and is never a protected one.
    """

    source: Source = MISSING
    path: str | None = None
    id: str | None = None
    time: str | None = None
    label: str | None = None
    bad: str = "1"
    status: str | None = None
    outcome_known_at: str | None = None
    through_the_door: str | None = None
    decision: str | None = None
    approved: str = "approved"
    by_lot: str | None = None
    customer: str | None = None
    segment: str | None = None
    protected: list[str] = field(default_factory=list)
    numeric: list[str] = field(default_factory=list)
    categorical: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    amount: str | None = None
    meanings: dict[str, str] = field(default_factory=dict)
    reason_groups: dict[str, str] = field(default_factory=dict)
    infer: bool = True
    max_quarantined: float = 0.1


@dataclass
class SplitSettings:
    """Which applications are kept for the test, and how many folds the rest is searched on.

    With a time role the test part is the applications at or after `cutoff` (ISO date; by default the latest `test`
    share) and folds are ordered in time; without one both are stratified by the label. Where it is told when outcomes
    were known, applications whose outcome was not known at the cutoff are under embargo: in no part.
    """

    test: float = 0.3
    cutoff: str | None = None
    folds: int = 5
