"""Resolves the experiment of a finished study again from its record, to fit more models on the same rows."""

from dataclasses import replace

from experiments.experiment.experiment import Experiment, resolve
from experiments.experiment.recorded_settings import settings_of
from experiments.search.erased_data import erased_since
from experiments.search.run_record import RunRecord, compare_data
from pipelines.errors import RequestError


def recorded_experiment(record: RunRecord, workspace: str) -> Experiment:
    """Return the experiment of a study, on its data as they are now, which must be the recorded ones.

    Raises:
        RequestError: the data have changed or people were erased from them, or the record is of another version.
        DataError: the data are no longer at the recorded path.
    """
    experiment = resolve(replace(settings_of(record.config), workspace=workspace))
    differences = compare_data(record.data, experiment).differences
    if not differences:
        return experiment
    erased = erased_since(record.data, experiment)
    if erased is not None:
        raise RequestError(erased.sentence("the study"))
    more = f" and {len(differences) - 1} more values" if len(differences) > 1 else ""
    raise RequestError(f"the data are not those of the study: {differences[0]}{more}; restore them")
