"""The settings of the verb review: the schema behind conf/review.yaml."""

from dataclasses import dataclass
from enum import Enum

from pipelines.command.verb import VerbSettings


class ReviewAction(Enum):
    """What `thinfile review` does; without a word it lists."""

    request = "request"
    decide = "decide"
    list = "list"
    history = "history"
    verify = "verify"


class ReviewOutcome(Enum):
    """What a person decides."""

    approved = "approved"
    declined = "declined"


@dataclass
class ReviewVerbSettings(VerbSettings):
    """Settings of `thinfile review`."""

    action: ReviewAction = ReviewAction.list
    """What to do; without a word reviews are listed."""
    decision: str | None = None
    """decision_id of a row of the score log."""
    outcome: ReviewOutcome | None = None
    """Decision of the person."""
    why: str = ""
    """Reason, stored permanently in the chain."""
    version: int | None = None
    """Version of the review as it was read; if it changed since, nothing is decided."""
    period: str | None = None
    """Month, YYYY-MM; the list then includes referred decisions that are not decided."""
