"""Settings of a table of applications and of its split: the schema behind conf/data."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING


class Source(Enum):
    """The kind of data that applications come from."""

    german_credit = "german_credit"
    table = "table"
    marketplace = "marketplace"


@dataclass
class DataSettings:
    """One flat table of applications, described by the roles of its columns.

    `label` has two values, of which `bad` means default. Columns without a role are inferred when `infer` is on, and
    the inferred roles are shown. `protected` columns are never features. `max_quarantined` is the share of rows that
    may break the contract before the run stops. `status` is the maturity of each row's outcome; only mature rows have
    labels. `outcome_known_at` is when the outcome became known: a model is tested on applications made after all the
    outcomes that it was trained on. `through_the_door` is the table of all applications, declined and immature ones
    included (the through-the-door population); a model's reference profile is taken from its rows in the test period.
    For a marketplace it is by default the table `applications` beside the training table. In that table `decision` is
    the earlier policy's decision, `approved` the value that means approved, and `by_lot` the column that marks
    applications approved at random although the policy would have declined them. `amount` is the feature with the
    amount applied for, in which profit is counted; without it every application counts as one. `meanings` describes
    features in plain words, `reason_groups` joins features into one reason. `customer` is the column of customer ids;
    `segment` is a column by whose values a scored period is also counted, which may be a feature but not a protected
    attribute.
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
    """The test part, and the number of folds of the development part.

    With a time role the test part is the applications at or after `cutoff` (ISO date; by default the latest `test`
    share) and folds are ordered in time; without one both are stratified by the label. With `data.outcome_known_at`,
    applications whose outcome was not known at the cutoff are under embargo and in neither part.
    """

    test: float = 0.3
    cutoff: str | None = None
    folds: int = 5
