"""One message for an error of a library, or of the file system, that no module of ours has explained."""

from collections.abc import Iterator
from types import TracebackType

from pipelines.secrets.redaction import redacted

LIBRARIES = {
    "pyarrow": ("Arrow", "a table cannot be read or written", "correct the values or the type of its columns"),
    "duckdb": ("DuckDB", "a query of tables failed", "correct the tables that it reads"),
    "pandas": ("pandas", "a table cannot be converted", "correct the values or the type of its columns"),
    "sqlalchemy": ("SQLAlchemy", "a database cannot be used", "start or repair it and run the same command again"),
    "sqlite3": ("SQLite", "a database cannot be used", "repair it or restore it from a copy"),
    "mlflow": ("MLflow", "the model store cannot be used", "check the tracking server and the model that are named"),
    "evidently": ("Evidently", "the report for Evidently cannot be made", "check its version"),
    "optuna": ("Optuna", "the study cannot be used", "check its database and run the same command again"),
}
"""By the package that raised: its name, what failed, and what to do."""

OWN = ("pipelines", "experiments", "monitoring", "thinfile")

MOST_CHARACTERS = 300


def explained(error: BaseException) -> str | None:
    """Return one message for an error that a library or the file system raised, None for any other."""
    if any("database is locked" in str(one) for one in _chain_of(error)):
        return "a database is locked by another process; wait until it ends, and run the same command again"
    library = _library_of(error)
    if library is None and isinstance(error, OSError) and error.filename is not None:
        return (
            f"'{error.filename}' cannot be read or written ({error.strerror}); check its permissions and its disk, and "
            "run the same command again"
        )
    if library is None:
        return None
    name, failed, advice = LIBRARIES[library]
    return f"{failed} ({name}: {_first_line(error)}); {advice}, debug=true prints the traceback"


def _chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _library_of(error: BaseException) -> str | None:
    """Return the library of an error's class or, for a class of Python's own, of the code that raised it."""
    classes = [_package(one.__module__) for one in type(error).__mro__]
    return next((one for one in (*classes, _raised_in(error.__traceback__)) if one in LIBRARIES), None)


def _raised_in(trace: TracebackType | None) -> str:
    """Return the package of the innermost code that is not Python's own: pandas raises most errors as ValueError."""
    package = ""
    while trace is not None:
        current = _package(str(trace.tb_frame.f_globals.get("__name__", "")))
        package = current if current in LIBRARIES or current in OWN else package
        trace = trace.tb_next
    return package


def _package(module: str) -> str:
    return module.partition(".")[0].lstrip("_")


def _first_line(error: BaseException) -> str:
    text = str(getattr(error, "orig", None) or error)  # of SQLAlchemy's errors, what the database reports
    text = f"no {text}" if isinstance(error, KeyError) else text
    line = next((one.strip() for one in text.splitlines() if one.strip()), type(error).__name__)
    line = redacted(line)
    return line.rstrip(".") if len(line) <= MOST_CHARACTERS else f"{line[:MOST_CHARACTERS]}..."
