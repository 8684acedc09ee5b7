"""The settings of reject inference."""

from enum import Enum


class RejectInference(Enum):
    """How training uses declined applications, which have no outcome.

    `reweighting` gives approved applications that resemble declined ones more weight; `fuzzy_augmentation` adds each
    declined application as partly bad and partly good, by the PD of a model of the approved.
    """

    none = "none"
    reweighting = "reweighting"
    fuzzy_augmentation = "fuzzy_augmentation"
