"""What the trials of a study show without fitting anything: history, families, parameters and the front."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from experiments.experiment.recorded_settings import FAMILY
from experiments.search.parameter_importance import FEWEST_TRIALS, parameter_importances
from experiments.search.stored_studies import State, StoredTrial
from experiments.search.trial_result import COST, SECONDS
from pipelines.candidates.registry import families
from pipelines.candidates.settings import Range

Record = dict[str, Any]
"""JSON values of a part of the page; a part with `missing` could not be computed, for that reason."""


def search_facts(trials: Sequence[StoredTrial], config: Mapping[str, Any]) -> Record:
    """Return the history of a search and its families; `config` is the recorded configuration of the study."""
    usual = str(config["candidate"]["family"])
    by_family: dict[str, list[StoredTrial]] = defaultdict(list)
    for trial in trials:
        by_family[str(trial.parameters.get(FAMILY, usual))].append(trial)
    ended = {state.value: sum(trial.state is state for trial in trials) for state in State}
    families_facts = [_family(name, own, _ranges(name, config)) for name, own in by_family.items()]
    return {
        "states": {name: number for name, number in ended.items() if number},
        "history": [_point(trial, usual) for trial in trials if trial.value is not None],
        "seconds": sum(trial.seconds or 0.0 for trial in trials),
        "between_families": _between_families(by_family),
        "families": sorted(families_facts, key=lambda one: (one["best"] is None, -(one["best"] or 0.0))),
    }


def _point(trial: StoredTrial, usual: str) -> Record:
    family = str(trial.parameters.get(FAMILY, usual))
    return {"trial": trial.number, "family": family, "value": trial.value, "values": list(trial.values)}


def _family(name: str, trials: Sequence[StoredTrial], ranges: Mapping[str, Range]) -> Record:
    scored = [(trial, trial.value) for trial in trials if trial.value is not None]
    best = min((trial for trial, _ in scored), key=lambda trial: trial.rank, default=None)
    return {
        "family": name,
        "finished": len(scored),
        "pruned": sum(trial.state is State.PRUNED for trial in trials),
        "failed": sum(trial.state is State.FAIL for trial in trials),
        "best_trial": None if best is None else best.number,
        "best": None if best is None else best.value,
        "best_parameters": {} if best is None else _own(best),
        "seconds": fmean(_seconds(trial) for trial, _ in scored) if scored else None,
        "cost": None if best is None else best.notes.get(COST),
        "logarithmic": [parameter for parameter, one in ranges.items() if one.log],
        "tried": [{"trial": trial.number, "value": value, "parameters": _own(trial)} for trial, value in scored],
        "importances": _importances([(_numbers(trial), value) for trial, value in scored], ranges),
    }


def _importances(scored: Sequence[tuple[dict[str, float | int], float]], ranges: Mapping[str, Range]) -> Record:
    if len(scored) < FEWEST_TRIALS:
        return {"missing": f"{len(scored)} finished trials, importances need {FEWEST_TRIALS}"}
    shares = parameter_importances(scored, ranges)
    if not shares:
        return {"missing": "no parameter or no score varied between the trials"}
    return {"shares": shares}


def _own(trial: StoredTrial) -> Record:
    return {name: value for name, value in trial.parameters.items() if name != FAMILY}


def _numbers(trial: StoredTrial) -> dict[str, float | int]:
    return {name: value for name, value in _own(trial).items() if isinstance(value, float | int)}


def _seconds(trial: StoredTrial) -> float:
    return float(trial.notes.get(SECONDS, trial.seconds or 0.0))


def _ranges(family: str, config: Mapping[str, Any]) -> dict[str, Range]:
    """Return the searched ranges of a family: the configured ones, or where families are searched its own."""
    candidate = config["candidate"]
    if candidate["family"] == family:
        return {name: Range(one["low"], one["high"], one["log"]) for name, one in candidate["space"].items()}
    declared = families().get(family)  # None for a family that is no longer installed
    return dict(declared.space) if declared else {}


def _between_families(by_family: Mapping[str, Sequence[StoredTrial]]) -> float | None:
    """Return the share of the variance of the score between families, None with too few trials to estimate it.

    The adjusted correlation ratio (Kelley 1935): what families of equal trials would differ by is taken off.
    """
    scores = [[trial.value for trial in own if trial.value is not None] for own in by_family.values()]
    scores = [own for own in scores if own]
    everything = [value for own in scores for value in own]
    freedom = len(everything) - len(scores)
    if len(scores) < 2 or freedom < len(scores):
        return None
    mean = fmean(everything)
    total = sum((value - mean) ** 2 for value in everything)
    within = sum((value - fmean(own)) ** 2 for own in scores for value in own)
    return max(1 - within / freedom * (len(everything) - 1) / total, 0.0) if total else None
