"""Names of a user's columns beside Thinfile's own, in profiles and in the features of the score log."""

OWN_COLUMNS = frozenset({"points", "band", "decision", "reason", "decision_id", "application_id"})
"""Columns that Thinfile adds to the features it counts, stores and compares."""

SUFFIX = " (feature)"


def profile_column(feature: str) -> str:
    """Return the name of a feature beside Thinfile's own columns.

    >>> profile_column("income"), profile_column("points"), profile_column("points (feature)")
    ('income', 'points (feature)', 'points (feature) (feature)')
    """
    return feature + SUFFIX if feature in OWN_COLUMNS or feature.endswith(SUFFIX) else feature


def feature_named(column: str) -> str:
    """Return the feature that `profile_column` gave this name.

    >>> feature_named("income"), feature_named("points (feature)"), feature_named("points (feature) (feature)")
    ('income', 'points', 'points (feature)')
    """
    return column.removesuffix(SUFFIX)
