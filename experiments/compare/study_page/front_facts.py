"""The Pareto front of a study with two objectives."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.compare.study_page.search_facts import Record
from experiments.search.stored_studies import StoredTrial


def front_facts(trials: Sequence[StoredTrial], config: Mapping[str, Any]) -> Record | None:
    """Return the finished trials by both objectives, those of the front marked; None for a study with one objective."""
    points = [
        {"trial": trial.number, "value": trial.values[0], "second": trial.values[1]}
        for trial in trials
        if trial.value is not None and len(trial.values) > 1
    ]
    if not points:
        return None
    ranked = sorted(points, key=lambda one: (-one["value"], one["second"], one["trial"]))  # type: ignore[operator]
    least: Any = None
    for point in ranked:
        point["on_front"] = least is None or point["second"] < least
        least = point["second"] if point["on_front"] else least
    return {"second": _second(config), "points": ranked}


def _second(config: Mapping[str, Any]) -> str:
    attribute = (config.get("fair") or {}).get("attribute")
    return f"gap in approval rates by {attribute}" if config.get("search") == "fair" else "second objective"
