"""The one door to MLflow: `store` keeps runs and versions, `packaging` writes a model, `predictor` reads one.

Answering with a model of ours imports no MLflow: it takes a second, and memory in every process of a batch.
"""

import os

from pipelines.command.verb import stay_private

# MLflow reads these while it is imported.
stay_private()
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
