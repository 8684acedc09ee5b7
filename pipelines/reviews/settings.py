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
    """`decision` is the decision_id of a row of the score log; `why` is written into the chain and kept for ever.

    `version` is that of the review as it was read: where somebody else went on with it, nothing is decided. With
    `period` (YYYY-MM) the list also names the decisions that the policy referred to a person and nobody has decided.
    """

    action: ReviewAction = ReviewAction.list
    decision: str | None = None
    outcome: ReviewOutcome | None = None
    why: str = ""
    version: int | None = None
    period: str | None = None
