"""The settings of reject inference."""

from enum import Enum


class RejectInference(Enum):
    """How a model is told about those whom an earlier policy declined, and whose outcomes nobody knows.

    `reweighting` lets each approved application count for those like it that were declined; `fuzzy_augmentation` adds
    each declined one as partly bad and partly good, as a model of the approved sees it.
    """

    none = "none"
    reweighting = "reweighting"
    fuzzy_augmentation = "fuzzy_augmentation"
