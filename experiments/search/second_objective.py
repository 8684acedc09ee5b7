"""The second objective of a study: what is minimised beside the highest score."""

from dataclasses import dataclass

from experiments.experiment.settings import SecondObjective, TuneSettings
from experiments.search.trial_result import CALIBRATION, COST


@dataclass(frozen=True)
class Second:
    """A second objective: the note of a trial that it minimises, and its name for people."""

    note: str
    title: str


SECOND_OBJECTIVES = {
    SecondObjective.cost: Second(COST, "microseconds per row"),
    SecondObjective.calibration: Second(CALIBRATION, "calibration error"),
}


def second_objective_of(settings: TuneSettings) -> Second | None:
    """Return the second objective of a study, None without one."""
    return SECOND_OBJECTIVES.get(settings.second_objective)
