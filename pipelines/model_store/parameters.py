"""Parameters as MLflow accepts them: it refuses some characters in names, and long values."""

import re
from collections.abc import Mapping

NAME = r"[/\w.\- :]{1,200}"
LONGEST = 5000
"""Characters of a value."""


def accepted_parameters(parameters: Mapping[str, object]) -> dict[str, str]:
    """Return the parameters whose names MLflow accepts, with values as text; the others are in the run's files.

    >>> accepted_parameters({"depth": 6, "use of [a]": 1})
    {'depth': '6'}
    """
    return {name: str(value)[:LONGEST] for name, value in parameters.items() if re.fullmatch(NAME, name)}
