"""The summary of a search: what was found, what it is worth on the test part, and under which version it is kept."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from experiments.evidence.monotonicity import adherence
from experiments.experiment.experiment import Experiment
from experiments.experiment.recorded_settings import FAMILY
from experiments.search.finalists import Finalist
from experiments.search.measured_cost import cost_lines, measured_cost_of
from experiments.search.study import Ended
from pipelines.model_store.registered import RegisteredModel

WIDTH = 80
"""Lines are broken between items at this width, that of the narrowest usual terminal."""

FIGURES = {"auc": "AUC", "gini": "Gini", "ks": "KS", "brier": "Brier"}


def summary_of(
    experiment: Experiment,
    registered: RegisteredModel,
    finalist: Finalist,
    ended: Ended,
    evaluation: Mapping[str, Any],
    *,
    is_new: bool,
) -> list[str]:
    """Return the lines of a summary."""
    measures = evaluation["measures"]
    tested = [
        f"{title} {measures[name]['value']:.3f} ({measures[name]['low']:.3f} to {measures[name]['high']:.3f})"
        for name, title in FIGURES.items()
    ]
    news = "registered as" if is_new else "nothing new: this study's best model is already"
    advice = experiment.split.advice
    return [
        f"{experiment.family}: {_name(finalist)}, cross-validated AUC {finalist.value:.4f}",
        *_model(finalist),
        *cost_lines(finalist.cost, measured_cost_of(registered)),
        f"  {_counts(ended)}",
        f"  on {evaluation['rows']:,} test applications, {evaluation['bad']:,} bad:",
        *_lines(tested, "    "),
        f"  {_shrinkage(finalist.value, measures['auc']['value'])}",
        *_directions(evaluation.get("directions", [])),
        f"  {news} {registered.name} version {registered.version} (study {experiment.study})",
        *([] if advice is None else [f"  warning: {advice}"]),
    ]


def _name(finalist: Finalist) -> str:
    """Return what is registered, in words."""
    if len(finalist.weights) > 1:
        return f"blend of {len(finalist.weights)} trials"
    (number,) = finalist.weights
    return f"best trial {number}" if finalist.label.isdigit() else f"average of the models of trial {number}"


def _counts(ended: Ended) -> str:
    """Return how the trials ended.

    >>> _counts(Ended(finished=11, pruned=18, failed=1, leading=30))
    '30 trials: 11 finished, 18 given up as hopeless, 1 failed'
    >>> _counts(Ended(finished=5, pruned=0, failed=0, leading=5))
    '5 trials'
    """
    others = {"given up as hopeless": ended.pruned, "failed": ended.failed}
    parts = [f"{count} {how}" for how, count in others.items() if count]
    total = f"{ended.trials} trial{'' if ended.trials == 1 else 's'}"
    return f"{total}: {', '.join([f'{ended.finished} finished', *parts])}" if parts else total


def _model(finalist: Finalist) -> list[str]:
    """Return lines with the parameters of a single configuration, or the parts of a blend."""
    parts = finalist.parameters.get("parts")
    if parts is None:
        return _configuration(finalist.parameters.get(FAMILY), finalist.parameters)
    if len(parts) == 1:
        return _configuration(parts[0]["family"], parts[0]["parameters"])
    numbers = list(finalist.weights) if len(finalist.weights) == len(parts) else [None] * len(parts)
    by_weight = sorted(zip(parts, numbers, strict=True), key=lambda one: -one[0]["weight"])
    return [_part(part, number) for part, number in by_weight]


def _part(part: Mapping[str, Any], number: int | None) -> str:
    """Return one part of a blend.

    >>> _part({"family": "lightgbm", "weight": 0.47, "average": True}, 9)
    '  47% lightgbm, averaged over the folds (trial 9)'
    """
    averaged = ", averaged over the folds" if part["average"] else ""
    return f"  {part['weight']:.0%} {part['family']}{averaged}" + ("" if number is None else f" (trial {number})")


def _configuration(family: str | None, parameters: Mapping[str, Any]) -> list[str]:
    """Return lines with a family, where several are searched, and its parameters.

    >>> _configuration("scorecard", {"max_bins": 6, "smoothing": 20.0})
    ['  scorecard: max_bins 6, smoothing 20']
    >>> _configuration(None, {})
    ['  the configured parameters']
    """
    own = {name: value for name, value in parameters.items() if name != FAMILY}
    texts = [
        f"{name} {value:.4g}" if isinstance(value, float | int) else f"{name} {value}" for name, value in own.items()
    ] or ["the configured parameters"]
    return _lines(texts if family is None else [f"{family}: {texts[0]}", *texts[1:]])


def _lines(items: Iterable[str], indent: str = "  ") -> list[str]:
    """Return items as lines of at most `WIDTH`, broken only between items.

    >>> _lines(["a 1", "b 2"])
    ['  a 1, b 2']
    """
    text = ", ".join(item.replace(" ", "\xa0") for item in items)
    return [
        line.replace("\xa0", " ")
        for line in textwrap.wrap(
            text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
    ]


def _shrinkage(searched: float, tested: float) -> str:
    """Return how the AUC of the search compares with that of the test part.

    >>> _shrinkage(0.79, 0.78), _shrinkage(0.78, 0.79)
    ('the test AUC is 0.0100 below that of the search', 'the test AUC is 0.0100 above that of the search')
    """
    return (
        f"the test AUC is {abs(tested - searched):.4f} {'below' if tested < searched else 'above'} that of the search"
    )


def _directions(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line about the declared directions; none where none is declared."""
    if not records:
        return []
    warning = "warning: " if any(one["share_violating"] for one in records) else ""
    return [f"  {warning}the score {adherence(records)}"]
