"""What --multirun prints: a header for each job, and one table at the end."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from pipelines.command.hydra_adapter import job_number, job_overrides
from pipelines.command.table import FittedTable, TableColumn
from pipelines.command.verb import Outcome, Output, as_json, log_plainly, print_outcomes, summary_text
from pipelines.command.verbs import verb_named

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class SweptJob:
    """A job that has run: its number from 1, the overrides that are its own, and what came of it.

    `process` is the number of the process that ran it: a launcher may start others, whose output nobody sees.
    """

    number: int
    overrides: Sequence[str]
    outcome: Outcome
    output: Output
    process: int


def swept_job(
    verb: str, run_job: Callable[[DictConfig], Outcome], common: Sequence[str]
) -> Callable[[DictConfig], SweptJob]:
    """Return the function that runs a job of a sweep, whose overrides besides the `common` ones are its own.

    A text is printed as soon as there is one, unless Hydra's launcher runs the job in another process.
    """
    starter = os.getpid()

    def job(config: DictConfig) -> SweptJob:
        number, overrides = job_number(), job_overrides()
        own = [word for word in overrides if word not in common] or overrides
        is_shown = os.getpid() == starter and config.output is Output.text
        if os.getpid() != starter:
            log_plainly()
            verb_named(verb)  # registers its resolvers
        if is_shown:
            print(header(number, own), flush=True)
        outcome = run_job(config)
        if is_shown:
            print_outcomes([outcome], Output.text)
        return SweptJob(number, own, outcome, config.output, os.getpid())

    return job


def print_sweep(jobs: Sequence[SweptJob], figures: Mapping[str, str]) -> None:
    """Print the jobs of a sweep as one JSON list, or what their own processes did not print, and a table."""
    for_scripts = [job.outcome for job in jobs if job.output is Output.json]
    if for_scripts:
        print_outcomes(for_scripts, Output.json, as_list=True)
    texts = [job for job in jobs if job.output is Output.text]
    for job in texts:
        if job.process != os.getpid():
            print(header(job.number, job.overrides), flush=True)
            print_outcomes([job.outcome], Output.text)
    if texts:
        print(summary_text(Outcome({}, summary=[table_of(texts, figures)])), end="")


def header(number: int, overrides: Sequence[str]) -> str:
    """Return the line above what a job prints.

    >>> header(2, ["candidate=scorecard", "seed=1"])
    'job 2: candidate=scorecard seed=1'
    """
    return f"job {number}: {' '.join(overrides)}".rstrip(": ")


def table_of(jobs: Sequence[SweptJob], figures: Mapping[str, str]) -> "RenderableType":
    """Return the table of a sweep: a row for each job, with its own settings and what came of it.

    `figures` are the columns of a verb, by title where each is found in the answer ("test.measures.auc.value"). Without
    any of them in the answers, the table has the first lines of the summaries.
    """
    keys = list(dict.fromkeys(key for job in jobs for key in _values(job)))
    results = [as_json(job.outcome) for job in jobs]
    figures = {title: path for title, path in figures.items() if any(_figure(one, path) for one in results)}
    answers = [_answer(job, with_summary=not figures) for job in jobs]
    columns = [
        TableColumn("job"),
        *(TableColumn(key, figures=False) for key in keys),
        *(TableColumn(title, rank=1) for title in figures),
        TableColumn("exit code"),
        *([TableColumn("answer", figures=False, wraps=True)] if any(answers) else []),
    ]
    rows: list[Sequence[str]] = []
    for job, result, answer in zip(jobs, results, answers, strict=True):
        values = _values(job)
        row = [str(job.number), *(values.get(key, "") for key in keys)]
        row += [_figure(result, path) for path in figures.values()]
        rows.append([*row, str(int(job.outcome.exit_code)), *([answer] if any(answers) else [])])
    return FittedTable(f"{len(jobs)} jobs", columns, rows)


def _values(job: SweptJob) -> dict[str, str]:
    pairs = (word.partition("=") for word in job.overrides)
    return {key.lstrip("+"): value for key, _, value in pairs}


def _answer(job: SweptJob, *, with_summary: bool) -> str:
    if job.outcome.error:
        return job.outcome.error
    lines = [line for part in job.outcome.summary if isinstance(part, str) for line in part.splitlines() if line]
    return lines[0].strip() if with_summary and lines else ""


def _figure(result: Mapping[str, object], path: str) -> str:
    """Return a value of an answer as text; empty where the answer does not have it.

    >>> _figure({"test": {"auc": 0.78125}, "version": 3}, "test.auc"), _figure({"version": 3}, "version")
    ('0.7812', '3')
    """
    value: object = result
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)
