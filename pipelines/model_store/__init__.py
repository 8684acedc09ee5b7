"""All use of MLflow: `store` keeps runs and versions, `packaging` writes a model, `predictor` loads one.

Scoring with a model that Thinfile logged does not import MLflow, which takes seconds, and memory in every process.
"""

import os

from pipelines.command.verb import stay_private

# MLflow reads these while it is imported.
stay_private()
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
