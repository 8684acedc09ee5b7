"""The generated code of an MLflow model, for users of MLflow who do not have Thinfile."""

from collections.abc import Sequence

from pipelines.candidates.candidate import Family
from pipelines.candidates.portable_source import portable_source

ENTRY = "\n\nimport mlflow.models\n\nmlflow.models.set_model(pyfunc_model(SCORERS))\n"
"""The lines that make the portable source a model from code."""


def served_source(families: Sequence[Family]) -> str:
    """Return the code that MLflow runs for a model whose parts are of some families."""
    return portable_source({family.name: family.scorer for family in families}) + ENTRY
