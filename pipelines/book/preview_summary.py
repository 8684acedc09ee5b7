"""The result and the summary of `thinfile prepare check=true`."""

from collections.abc import Iterator
from dataclasses import asdict

from pipelines.command.verb import ExitCode, Outcome
from pipelines.marketplace.preview import Preview, TablePreview

WIDEST_VALUE = 26
"""Characters of a value in the summary; output=json has all of it."""


def preview_outcome(preview: Preview) -> Outcome:
    """Return the outcome of a preview; exit code 3 where `thinfile prepare` would stop."""
    lines = [line for table in preview.tables for line in _lines(table)]
    if preview.refusals:
        lines += [f"NOT READY: {message}" for message in preview.refusals]
    else:
        lines.append("READY: nothing was written; run the command without check=true")
    result = {"ready": not preview.refusals, **asdict(preview)}
    return Outcome(result, summary=lines, exit_code=ExitCode.ANSWER_IS_NO if preview.refusals else ExitCode.DONE)


def _lines(table: TablePreview) -> Iterator[str]:
    quarantined = sum(one.rows for one in table.broken)
    yield (
        f"{table.table}: {table.rows:,} rows = {table.clean:,} clean + {quarantined:,} quarantined + {table.copies:,} "
        f"equal copies{f'; {table.erased:,} rows of erased people left out' if table.erased else ''}"
    )
    for column in table.columns:
        reach = "no value" if column.lowest is None else f"{_short(column.lowest)} to {_short(column.highest)}"
        yield (
            f"  {column.name:<18} from {column.source} ({column.type}): {reach}"
            f"{f', {column.missing:.1%} missing' if column.missing else ''}"
        )
    for row in table.first_rows:
        yield f"  row: {', '.join(f'{name}={_short(value)}' for name, value in row.items() if value is not None)}"
    for one in table.broken:
        yield f"  {one.rows:,} of {table.rows:,} rows break a rule: {one.rule} (first {one.example})"


def _short(value: str | None) -> str:
    text = "" if value is None else value
    return text if len(text) <= WIDEST_VALUE else f"{text[: WIDEST_VALUE - 3]}..."
