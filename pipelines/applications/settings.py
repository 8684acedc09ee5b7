"""Settings of a table of applications and of its split: the schema behind conf/data."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from omegaconf import MISSING

from pipelines.reading.settings import ReadingSettings


class Source(Enum):
    """The kind of data that applications come from."""

    german_credit = "german_credit"
    table = "table"
    marketplace = "marketplace"


class RiskDirection(Enum):
    """How larger numbers of a feature may move the score: `any` lifts a direction of the catalogue."""

    riskier = "riskier"
    safer = "safer"
    any = "any"


@dataclass(kw_only=True)
class SegmentSettings:
    """Segments: decisions are counted by the values of these columns too."""

    segments: list[str] = field(default_factory=list)
    """Columns by whose values drift is also reported, features or not; never protected ones."""
    segment_bands: dict[str, Any] = field(default_factory=dict)
    """Column: the edges between bands of its numbers. A numeric feature without them is cut near its quartiles in the
    model's reference profile."""


@dataclass
class DataSettings(SegmentSettings, ReadingSettings):
    """One flat table of applications and the roles of its columns."""

    source: Source = MISSING
    """Kind of data."""
    path: str | None = None
    """CSV, TSV (also .gz) or Parquet file, or a folder of such files; also an address such as s3://BUCKET/FOLDER."""
    query: str | None = None
    """SELECT whose rows are the table, in place of `path`; runs on `database`."""
    database: str | None = None
    """SQLAlchemy address of the database of `query`, such as postgresql://USER@HOST/DATABASE; its password comes from
    the environment: PGPASSWORD, or ${oc.env:NAME} for the whole address."""
    id: str | None = None
    """Column of the application's id."""
    time: str | None = None
    """Column of the application time; the test part is then the latest applications."""
    label: str | None = None
    """Column of the outcome; it has two values."""
    bad: str | None = None
    """Value of the label that means default; required unless the label is 0 and 1, where 1 means default."""
    status: str | None = None
    """Column that shows whether the outcome is mature; only mature rows have labels."""
    outcome_known_at: str | None = None
    """Column of the time at which the outcome was known."""
    performance_months: int | None = None
    """Months after the application in which a loan can turn bad; younger applications are left out as immature."""
    as_of: str | None = None
    """Date of the extract (ISO), by which performance windows must be over; by default the latest application."""
    ttd_population: str | None = None
    """Table of all applicants, declined and immature ones included; of a marketplace it is found beside the training
    table."""
    decision: str | None = None
    """Column of the decision of an earlier policy, in the table of all applicants."""
    approved: str = "approved"
    """Value of that column for approved applications."""
    random_approval: str | None = None
    """Column that marks applications which the earlier policy would have declined and approved at random."""
    customer: str | None = None
    """Column of the customer's id."""
    group: str | None = None
    """Column whose equal values, such as one customer's applications, stay on one side of every split and fold."""
    protected: list[str] = field(default_factory=list)
    """Columns of protected attributes: never features, kept for fairness."""
    numeric: list[str] = field(default_factory=list)
    """Numeric features."""
    categorical: list[str] = field(default_factory=list)
    """Categorical features."""
    ignored: list[str] = field(default_factory=list)
    """Columns to leave out."""
    amount: str | None = None
    """Numeric feature that holds the requested amount, by which profit is weighted; without it every application weighs
    the same."""
    meanings: dict[str, str] = field(default_factory=dict)
    """Feature: its meaning in plain words."""
    reason_groups: dict[str, str] = field(default_factory=dict)
    """Feature: the reason it counts towards."""
    directions: dict[str, RiskDirection] = field(default_factory=dict)
    """Numeric feature: whether larger numbers may only be `riskier` or only be `safer`, against the data too; `any`
    lifts a direction of the catalogue."""
    catalogue_directions: bool = False
    """Declare the directions of a prepared marketplace's catalogue too; `directions` goes before them."""
    infer: bool = True
    """Infer the roles of the remaining columns."""
    max_quarantined: float = 0.1
    """Share of the rows that may break the contract before the run stops."""
    max_unknown: float | None = 0.5
    """Share of a column's rows that may have values which the model does not know when they are scored; null: any."""


@dataclass
class SplitSettings:
    """The test part and the folds. With a time role both are ordered in time and keep an embargo; without one they are
    stratified by the label.
    """

    test: float = 0.3
    """Share of the applications in the test part."""
    cutoff: str | None = None
    """Date from which applications belong to the test part (ISO); by default the latest `test` share."""
    folds: int = 5
    """Folds of the search."""
    seed: int = 0
    """Seed that draws the test part and the folds of applications without times."""
    months: int | None = None
    """Most months to learn from, counted back from the latest application of the development part; null: all. The test
    part stays the same."""
    share: float = 1.0
    """Share of the development part to learn from. The test part stays the same, and a larger share has the rows of a
    smaller one."""
