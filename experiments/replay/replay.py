"""The verb replay: rebuilds a run from its record and compares every number bit for bit; nothing is written."""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.evidence.evidence_files import attached_file
from experiments.experiment.differences import Comparison, Difference, compare_records
from experiments.experiment.experiment import Experiment, resolve
from experiments.experiment.recorded_settings import settings_of
from experiments.experiment.registered_trials import registered_weights
from experiments.experiment.settings import TuneSettings
from experiments.replay.replay_decision import replay_decision
from experiments.replay.settings import Extent, ReplaySettings
from experiments.search.erased_data import Erased, erased_since
from experiments.search.finalists import held_out_scores, rebuilt
from experiments.search.out_of_fold import CrossValidation
from experiments.search.registration import build_version
from experiments.search.run_record import EARLIER, RunRecord, compare_data, compare_environments
from experiments.search.tracking import BEST_CV_AUC, run_metrics
from experiments.search.trial_result import TrialResult, best_of
from pipelines.applications.settings import Source
from pipelines.command.progress import Advance, progress
from pipelines.command.provenance import provenance
from pipelines.command.verb import ExitCode, Outcome
from pipelines.errors import ConfigurationError, RequestError
from pipelines.ledger.champion import dispute_of, with_dispute
from pipelines.model_store.files import FILES, deciding_hash
from pipelines.model_store.readiness import is_initialised
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore, existing_store
from pipelines.model_store.tags import CONFIG_HASH, CV_AUC, EVALUATION, FINAL, MEASURED_COST, PARAMETERS, STUDY, TRIAL
from pipelines.storage.atomic_files import scratch_folder
from pipelines.storage.fingerprint import fingerprint_files, fingerprint_record
from pipelines.storage.workspace import Workspace

if TYPE_CHECKING:
    from mlflow.entities import Run

log = logging.getLogger(__name__)

MOST_DIFFERENCES = 20

COMPARED = {".json", ".csv", ".npz", ".cbm", ".py"}
"""Files of a model with numbers or code; pictures and MLflow's own files derive from them."""


@dataclass(frozen=True)
class Task:
    """A run to rebuild, with its record, the settings to use and the versions to rebuild."""

    run: "Run"
    record: RunRecord
    settings: TuneSettings
    versions: list[RegisteredModel]
    extent: Extent

    @property
    def trials(self) -> list[TrialResult]:
        """The recorded trials to compute again."""
        registered = {number for version in self.versions for number in weights_of(version)}
        return [one for one in self.record.trials if self.extent is Extent.all or one.number in registered]


def weights_of(version: RegisteredModel) -> dict[int, float]:
    """Return the trials that a version was made from, with their weights."""
    return registered_weights(version.tags[TRIAL], json.loads(version.tags.get(PARAMETERS, "{}")))


def replay(settings: ReplaySettings) -> Outcome:
    """Rebuild a run or a decision from its record; exit code 3 when anything differs.

    Raises:
        ConfigurationError: not exactly one of run, version and decision.
        RequestError: no such run, version or decision, or its record is incomplete.
        DataError: the data is no longer at the recorded path.
    """
    targets = [name for name in ("run", "version", "decision") if getattr(settings, name) is not None]
    if len(targets) != 1:
        raise ConfigurationError(
            f"replay takes one of run, version and decision, received {' and '.join(targets) or 'none'}; "
            "for example run=ID (`thinfile compare` lists the registered versions)"
        )
    workspace = Workspace.at(settings.workspace)
    if settings.decision is not None:
        outcome = replay_decision(workspace, settings.decision)
        model = str(outcome.result.get("model", settings.model))
    else:
        outcome, model = _replay_run(settings), settings.model
    dispute = dispute_of(ModelStore(workspace), model) if is_initialised(workspace) else ""
    return with_dispute(outcome, dispute)


def _replay_run(settings: ReplaySettings) -> Outcome:
    store = existing_store(Workspace.at(settings.workspace), settings.model)
    task = _task(settings, store)
    experiment = resolve(task.settings)
    data = compare_data(task.record.data, experiment)
    erased = erased_since(task.record.data, experiment) if data.differences else None
    if erased is not None:
        return _erased_outcome(task, erased)
    comparison = _compare_record(task) + data
    if not data.differences:  # the numbers of other data do not compare
        comparison += _compare_numbers(task, experiment, store)
    return _outcome(task, comparison)


def _task(settings: ReplaySettings, store: ModelStore) -> Task:
    run, version = _find(settings, store)
    record = RunRecord.read(store, run.info.run_id)
    recorded = settings_of(record.config)
    made = [one for one in store.versions(recorded.model) if one.run_id == run.info.run_id and TRIAL in one.tags]
    paths = {name: path for name, path in asdict(settings.data).items() if path is not None}
    if "path" in paths and recorded.data.source is Source.marketplace:
        paths = {"ttd_population": None} | paths  # found beside the training table
    if "path" in paths:
        paths |= {"query": None, "database": None}
    rebuilt = replace(
        recorded,
        workspace=settings.workspace,
        threads=recorded.threads if settings.threads is None else settings.threads,
        data=replace(recorded.data, **paths),
    )
    return Task(run, record, rebuilt, made if version is None else [version], settings.trials)


def _find(settings: ReplaySettings, store: ModelStore) -> tuple["Run", RegisteredModel | None]:
    """Return the run, and the version when the user named one."""
    if settings.version is None:
        return store.study_run(str(settings.run)), None
    version = store.version(settings.model, settings.version)
    if version.run_id is None or STUDY not in version.tags:
        raise RequestError(
            f"{version.name} version {version.version} was trained elsewhere and has no record of a "
            "run; replay a version that `thinfile tune` registered"
        )
    return store.study_run(version.run_id), version


def _compare_record(task: Task) -> Comparison:
    return compare_records("config_hash", task.run.data.tags.get(CONFIG_HASH), fingerprint_record(task.record.config))


def _compare_numbers(task: Task, experiment: Experiment, store: ModelStore) -> Comparison:
    comparison, validation = Comparison(0, []), CrossValidation(experiment)
    with progress("replay", len(task.trials) + len(task.versions), log) as advance:
        comparison += _compare_trials(task, validation, advance)
        for done, version in enumerate(task.versions, start=len(task.trials) + 1):
            comparison += _compare_version(task, validation, version, store)
            advance(done, f"{version.name} version {version.version}")
    return comparison


def _compare_trials(task: Task, validation: CrossValidation, advance: Advance) -> Comparison:
    comparison = Comparison(0, [])
    for done, trial in enumerate(task.trials, start=1):
        now = {"cv_auc": validation.scores_of(trial).value}
        comparison += compare_records(f"trial {trial.number}", {"cv_auc": trial.value}, now)
        advance(done, f"trial {trial.number}")
    return comparison


def _compare_version(
    task: Task, validation: CrossValidation, version: RegisteredModel, store: ModelStore
) -> Comparison:
    """Build a version again in a scratch folder and compare its tags and files."""
    trials, weights, title = task.record.trials, weights_of(version), f"version {version.version}"
    if missing := weights.keys() - {trial.number for trial in trials}:
        absent = ", ".join(map(str, sorted(missing)))
        return Comparison(1, [Difference(f"{title}.trial", absent, "the record has no such trial")])
    experiment, value = validation.experiment, float(version.tags[CV_AUC])
    finalist = rebuilt(experiment, trials, version.tags[TRIAL], weights, value)
    with scratch_folder(Workspace.at(experiment.settings.workspace).root) as scratch:
        folder, beside = scratch / "mlflow_model", scratch / "beside"
        tags = build_version(experiment, finalist, folder, beside, held_out_scores(validation, trials, finalist))
        comparison = _compare_tags(title, version, tags) + _compare_model(title, store.download(version), folder)
        comparison += _compare_attached(title, store, version, beside)
    best = best_of(trials)
    final = store.read_record(task.run.info.run_id, FINAL) or {"label": str(best.number)}
    if version.tags[TRIAL] == final["label"]:
        metrics = run_metrics(finalist.value, json.loads(tags[EVALUATION])) | {BEST_CV_AUC: best.value}
        comparison += compare_records("run", task.run.data.metrics, metrics)
    return comparison


def _compare_tags(title: str, version: RegisteredModel, tags: dict[str, str]) -> Comparison:
    """Compare the tags except the study, whose name depends on settings that were added later, and measured times."""
    now = {name: _parsed(name, value) for name, value in tags.items() if name not in (STUDY, MEASURED_COST)}
    recorded = {name: _parsed(name, version.tags[name]) for name in now if name in version.tags}
    return compare_records(title, recorded, now)


def _parsed(name: str, value: str) -> Any:
    return json.loads(value) if name == EVALUATION else value


def _compare_model(title: str, recorded: Path, now: Path) -> Comparison:
    comparison = Comparison(0, [])
    for name in dict.fromkeys([*_files(now, now), *_files(recorded, recorded / FILES)]):
        comparison += compare_records(f"{title}/{name}", _content(recorded / name), _content(now / name))
    if comparison.differences:
        return comparison
    return comparison + compare_records(f"{title}.model", deciding_hash(recorded), deciding_hash(now))


def _compare_attached(title: str, store: ModelStore, version: RegisteredModel, now: Path) -> Comparison:
    comparison = Comparison(0, [])
    for name in _files(now, now):
        recorded = _content(attached_file(store, version, name))
        comparison += compare_records(f"{title}/{name}", recorded, _content(now / name))
    return comparison


def _files(root: Path, folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in COMPARED:
            yield str(path.relative_to(root))


def _content(path: Path | None) -> Any:
    """Return the values of a JSON file, the fingerprint of another file, None for a missing one."""
    if path is None or not path.exists():
        return None
    try:
        return json.loads(path.read_text()) if path.suffix == ".json" else fingerprint_files({"": path})
    except ValueError:  # no longer valid JSON
        return fingerprint_files({"": path})


def _outcome(task: Task, comparison: Comparison) -> Outcome:
    recorded = task.record.environment
    environment = compare_environments(recorded, provenance(task.settings.threads, recorded["packages"])).differences
    agrees = not comparison.differences
    result = {
        "run_id": task.run.info.run_id,
        "versions": [version.version for version in task.versions],
        "trials": len(task.trials),
        "agrees": agrees,
        "compared": comparison.compared,
        "differences": [asdict(one) for one in comparison.differences],
        "environment": [asdict(one) for one in environment],
        "earlier_environments": len(recorded.get(EARLIER, [])),
    }
    summary = [
        _head(task, comparison),
        *_listed(comparison.differences),
        *_about_environment(recorded, environment, agrees),
    ]
    return Outcome(result, summary=summary, exit_code=ExitCode.DONE if agrees else ExitCode.ANSWER_IS_NO)


def _erased_outcome(task: Task, erased: Erased) -> Outcome:
    result = {
        "run_id": task.run.info.run_id,
        "versions": [version.version for version in task.versions],
        "agrees": False,
        "erased": {"rows": erased.rows, "entries": list(erased.entries)},
    }
    return Outcome(result, summary=[erased.sentence(_title(task))], exit_code=ExitCode.ANSWER_IS_NO)


def _title(task: Task) -> str:
    versions = ", ".join(f"{one.name} version {one.version}" for one in task.versions) or "no version registered"
    return f"run {task.run.info.run_id[:12]} ({task.record.config['candidate']['family']}; {versions})"


def _head(task: Task, comparison: Comparison) -> str:
    title = _title(task)
    extent = f"{len(task.trials)} of {len(task.record.trials)} trials computed again"
    if comparison.differences:
        return f"DIFFERS: {len(comparison.differences):,} of {comparison.compared:,} values of {title}; {extent}"
    return f"AGREES: all {comparison.compared:,} values of {title}, bit for bit; {extent}"


def _listed(differences: Sequence[Difference]) -> list[str]:
    lines = [f"  {one}" for one in differences[:MOST_DIFFERENCES]]
    more = len(differences) - MOST_DIFFERENCES
    return [*lines, f"  and {more:,} more; output=json lists all"] if more > 0 else lines


def _about_environment(recorded: dict[str, Any], differences: Sequence[Difference], agrees: bool) -> list[str]:
    lines = [f"  {one}" for one in differences]
    if not differences:
        lines = [
            "  the environment is the recorded one" + ("" if agrees else "; the record, the data or a file has changed")
        ]
    if recorded.get(EARLIER):
        lines.append(
            f"  note: {len(recorded[EARLIER])} other environments ran a part of this study before the recorded one"
        )
    return lines
