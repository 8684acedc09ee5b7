"""Which trials a version was made from, as its tag names them: '3', 'average of 3', 'blend of 3 (50%), 5 (50%)'."""

import re
from collections.abc import Mapping
from typing import Any


def registered_weights(label: str, parameters: Mapping[str, Any]) -> dict[int, float]:
    """Return the weights of the trials that a version was made from, by their numbers.

    `label` is the tag of the version, `parameters` those of its model.

    >>> registered_weights("blend of 3 (33%), 5 (67%)", {"parts": [{"weight": 1 / 4}, {"weight": 3 / 4}]})
    {3: 0.25, 5: 0.75}
    """
    numbers = [int(number) for number in re.findall(r"[0-9]+(?= |$)", label)]
    weights = [float(part["weight"]) for part in parameters.get("parts", [])] or [1.0]
    return dict(zip(numbers, weights, strict=True))


def trials_in_words(label: str, numbers: list[int]) -> str:
    """Return what a version is, as the subject of a sentence.

    >>> trials_in_words("3", [3]), trials_in_words("average of 3", [3])
    ('Trial 3', 'The average of the models of trial 3')
    >>> trials_in_words("blend of 3 (25%), 5 (75%)", [3, 5])
    'A blend of trials 3 and 5'
    """
    if label.isdigit():
        return f"Trial {label}"
    if len(numbers) == 1:
        return f"The average of the models of trial {numbers[0]}"
    *first, last = map(str, numbers)
    return f"A blend of trials {', '.join(first)} and {last}"
