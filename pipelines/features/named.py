"""Features found by their names: what a column of a prepared table means, and which features are one reason."""

import re
from collections.abc import Sequence

from pipelines.credit.periods import Period
from pipelines.features.catalogue import Feature, features_of, name_of_term
from pipelines.features.settings import FeatureSettings, What

GROUPS = {
    What.frequency: "purchases",
    What.amount: "purchases",
    What.spread: "order_amounts",
    What.trend: "recent_activity",
    What.regularity: "regularity",
    What.recency: "recent_activity",
    What.tenure: "tenure",
    What.diversity: "goods_bought",
    What.categories: "goods_bought",
    What.returns: "returns",
    What.discounts: "discounts",
    What.timing: "times_of_orders",
    What.channels: "channels",
    What.payment_methods: "payment_methods",
    What.marketplaces: "channels",
    What.instalments: "late_payments",
    What.application: "amount_asked_for",
}
"""What is one reason for a shopper: few orders and little spent are the same news, over whatever window."""

OTHER_GROUPS = {
    "mean_order": "order_amounts",
    "instalments_due": "earlier_loans",
    "owed": "debts",
    "open_instalments": "debts",
    "applications": "earlier_applications",
    "days_since_last_application": "earlier_applications",
    **{name_of_term(period): "term" for period in Period},
    "applied_at_night": "time_of_application",
}
"""Features that say another thing to a shopper than those they are computed with."""

_WINDOW = re.compile(r"_(\d+)d$")


def reason_group(feature: Feature) -> str:
    """Return the group of features that an applicant is told as one reason.

    >>> sorted({reason_group(one) for one in features_of(FeatureSettings(what=[What.frequency, What.amount]))})
    ['order_amounts', 'purchases']
    """
    return OTHER_GROUPS.get(_WINDOW.sub("", feature.name), GROUPS[feature.what])


def features_named(names: Sequence[str]) -> dict[str, Feature]:
    """Return the features of the catalogue among the columns of a prepared table.

    Windows and levels are those that the names themselves tell; the longest window is what others are compared with.

    >>> features_named(["orders_30d", "paid_by_gift_card_30d", "shoe_size"])["paid_by_gift_card_30d"].meaning
    'share of orders paid by gift card in the last 30 days'
    """
    windows = sorted({int(match[1]) for match in map(_WINDOW.search, names) if match})
    declared = FeatureSettings(
        windows=windows or [365],
        categories=_levels("spent_on", names) or ["any"],  # without one there is no diversity of categories
        channels=_levels("by", names),
        payment_methods=_levels("paid_by", names),
        marketplaces=_levels("orders_in", names),
        term_period=next((period for period in Period if name_of_term(period) in names), Period.month),
    )
    return {feature.name: feature for feature in features_of(declared) if feature.name in set(names)}


def _levels(stem: str, names: Sequence[str]) -> list[str]:
    return sorted({match[1] for name in names if (match := re.match(rf"{stem}_(.+)_\d+d$", name))})
