"""`thinfile prepare population=book`: clean buckets -> the features of every customer -> an index by customer."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.book.index import write_index
from pipelines.book.manifest import MANIFEST, book_record
from pipelines.book.observation import Observation
from pipelines.book.recipe import BOOK, BookRecipe, book_recipe
from pipelines.command.provenance import provenance
from pipelines.command.verb import Outcome, carried, shell_word
from pipelines.errors import DataError
from pipelines.features.kernel import feature_columns
from pipelines.marketplace.extract import Reach, check_reach
from pipelines.marketplace.manifest import IntakeRecord
from pipelines.marketplace.prepared import prepare_buckets
from pipelines.marketplace.settings import PrepareSettings
from pipelines.marketplace.training_table import link
from pipelines.secrets.environment_text import to_record
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.json_values import to_json_values


def prepare_book(settings: PrepareSettings, lake: Path, taken: IntakeRecord, observation: Observation) -> Outcome:
    """Make the book of clean tables, unless it was made of the same content and settings before.

    Raises:
        DataError: the book's history ends later than the tables reach (see `check_reach`); no customer was registered.
    """
    reach = Reach("observed_at", str(settings.observed_at), observation.known_before, observation.lag)
    check_reach(lake, reach, taken.tables)
    recipe = book_recipe(lake, taken.identity, observation, settings.features)
    if not (book_record(recipe.folder) and all(recipe.is_made(bucket) for bucket in range(taken.buckets))):
        prepare_buckets(recipe, taken.buckets, settings)
        _finish(settings, taken, recipe)
    _offer(recipe)
    return _outcome(settings, recipe, book_record(recipe.folder))


def _finish(settings: PrepareSettings, taken: IntakeRecord, recipe: BookRecipe) -> None:
    """Write the index, then the manifest, which marks the book as complete."""
    customers = write_index(recipe.folder)
    if not customers:
        raise DataError(
            f"no customer was registered before observed_at ({recipe.observation.at}); raise observed_at or check the "
            "times of registration"
        )
    numeric, categorical = feature_columns(settings.features)
    record = {
        "identity": recipe.identity,
        "intake": taken.identity,
        "configuration": to_record(to_json_values(settings)),
        "made_with": provenance(settings.threads),
        "observed_at": recipe.observation.at.isoformat(),
        "known_before": recipe.observation.known_before.isoformat(),
        "feature_lag_days": recipe.observation.lag.days,
        "customers": customers,
        "numeric": numeric,
        "categorical": categorical,
    }
    with whole_file(recipe.folder / MANIFEST) as temporary:
        temporary.write_text(json.dumps(record, indent=1))


def _offer(recipe: BookRecipe) -> None:
    """Link the book's name to it, and remove books without a link except the one just replaced."""
    replaced = recipe.offered.resolve()
    link(recipe.offered, recipe.folder)
    kept = {replaced, *(name.resolve() for name in (recipe.lake / BOOK).iterdir() if name.is_symlink())}
    for folder in recipe.folder.parent.iterdir():
        if folder not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _outcome(settings: PrepareSettings, recipe: BookRecipe, record: Mapping[str, Any]) -> Outcome:
    observation, loan = recipe.observation, recipe.observation.loan
    customers, features = record["customers"], len(record["numeric"]) + len(record["categorical"])
    result = {
        "book": str(recipe.offered),
        "manifest": str(recipe.offered / MANIFEST),
        "identity": recipe.identity,
        "customers": customers,
        "features": features,
        "observed_at": record["observed_at"],
        "known_before": record["known_before"],
        "reference": to_json_values(loan),
        "time_zone": settings.features.clock,
    }
    summary = [
        f"{customers:,} customers registered before {observation.at:%Y-%m-%d %H:%M} UTC, each with the {features} "
        "features of an application made then",
        f"  reference loan: {loan.amount:,} minor units over {settings.loan.repayment.period.counted(loan.term)}",
        f"  history known strictly before {observation.known_before:%Y-%m-%d %H:%M} UTC (feature lag "
        f"{observation.lag.days} days); by customer it serves applications from then until the observation time",
        f"  {recipe.offered}",
    ]
    about = f"data=marketplace population=book period={observation.at:%Y-%m} {shell_word('input', recipe.offered)}"
    step = f"thinfile score {about}{carried(settings)}"
    return Outcome(result, summary=summary, next_steps=[step])
