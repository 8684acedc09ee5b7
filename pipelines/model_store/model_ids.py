"""MLflow's description of a model with MLflow's ids, and nothing of the machine that it was saved on."""

from datetime import UTC, datetime
from pathlib import Path

import yaml
from mlflow.entities import LoggedModel
from mlflow.models import Model

from pipelines.model_store.files import DESCRIPTION, FILES, SERVED


def write_ids(folder: Path, logged: LoggedModel, run_id: str) -> None:
    """Write MLflow's ids into the description of a model, and nothing that differs when the same model is saved again.

    Two workers that log the same trial at once write the same bytes, and paths of a machine stay out.
    """
    # `Model.load` reads a path as a URI, and decodes what looks encoded in it.
    description = Model.from_dict(yaml.safe_load((folder / DESCRIPTION).read_text()))
    description.model_id, description.run_id, description.model_uuid = logged.model_id, run_id, logged.model_id
    description.utc_time_created = str(
        datetime.fromtimestamp(logged.creation_timestamp / 1000, UTC).replace(tzinfo=None)
    )
    pyfunc = description.flavors.get("python_function", {})
    if "model_code_path" in pyfunc:
        pyfunc["model_code_path"] = SERVED
        pyfunc["artifacts"] = {"model": {"path": FILES.as_posix(), "uri": FILES.as_posix()}}
    description.save(folder / DESCRIPTION)
