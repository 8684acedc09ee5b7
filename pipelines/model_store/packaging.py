"""Writes a trained model as an MLflow model that returns the probability of bad, without pickle or Thinfile."""

import shutil
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from mlflow.types.schema import AnyType

from pipelines.candidates.portable_model import families_of, read_card, table_names
from pipelines.candidates.portable_source import require_bound
from pipelines.candidates.registry import family_named
from pipelines.candidates.training import TrainedModel
from pipelines.model_store.files import NO_COMPILED_CODE, SERVED, deciding_hash
from pipelines.model_store.generated_code import served_source
from pipelines.storage.atomic_files import scratch_folder

REQUIREMENTS = ("mlflow", "numpy", "pandas")
"""What every logged model requires, besides the requirements of its families."""

COMPILED_CODE_NOTE = f"This file keeps Python from writing compiled code here when MLflow runs {SERVED}.\n"


def save_mlflow_model(trained: TrainedModel, folder: Path) -> str:
    """Write a trained model as an MLflow model into a new folder and return its `deciding_hash`.

    Registration adds MLflow's ids and the list of hashes, and computes the `model_hash`.
    """
    with scratch_folder(folder.parent) as scratch:
        files = scratch / "model"
        files.mkdir()
        trained.save(files)
        card = read_card(files)
        families = [family_named(name) for name in families_of(card)]
        requirements = dict.fromkeys([*REQUIREMENTS, *(name for family in families for name in family.requirements)])
        script, source = scratch / SERVED, served_source(families)
        require_bound(source)
        script.write_text(source)
        mlflow.pyfunc.save_model(
            folder,
            python_model=str(script),
            artifacts={"model": files.as_uri()},
            signature=signature_of([*chain(*table_names(card))]),
            input_example=typical_row(card),
            pip_requirements=[f"{package}=={version(package)}" for package in requirements],
        )
    shutil.rmtree(folder / NO_COMPILED_CODE, ignore_errors=True)
    (folder / NO_COMPILED_CODE).write_text(COMPILED_CODE_NOTE)
    return deciding_hash(folder)


def signature_of(columns: Sequence[str]) -> ModelSignature:
    """Return the signature: columns of any type in, one double out.

    MLflow refuses missing values in whole numbers, whole numbers as doubles, and codes as text; the model itself takes
    them all, as the table that it learnt from has them.
    """
    inputs: list[ColSpec | TensorSpec] = [ColSpec(AnyType(), name) for name in columns]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema([ColSpec(DataType.double, "probability_of_bad")]))


def typical_row(card: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row of medians and most frequent levels, which is no person's: the input example of a model."""
    usual = {name: described.get("usual") for name, described in card["meanings"].items()}
    return pd.DataFrame([{name: usual.get(name) for name in chain(*table_names(card))}])
