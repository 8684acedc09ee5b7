"""The code that is logged with a model: the common part, and of the family all that its scorer refers to."""

import ast
import builtins
import sys
from collections.abc import Iterator, Mapping
from dis import get_instructions
from functools import cache
from importlib import import_module
from importlib.util import resolve_name
from pathlib import Path
from types import CodeType
from typing import Any

from pipelines.candidates import portable_model


def portable_source(scorers: Mapping[str, type[Any]]) -> str:
    """Return a Python module that loads and runs models of some families where their packages are not installed.

    The scorer's class of each family is taken with every definition of its own package that it refers to, directly or
    through others, and with their imports of other libraries. Each family has a function of its own, which returns the
    class, so that families may give one name to different things. Names from `portable_model` are in the common part.
    The module ends with the dictionary SCORERS of the classes by family.

    Raises:
        TypeError: a scorer refers to a part of Thinfile that is not logged with models, or to a renamed import.
    """
    common = Path(str(portable_model.__file__)).read_text().rstrip()
    functions = [_function(number, scorer) for number, scorer in enumerate(scorers.values())]
    classes = "".join(f"    {family!r}: scorer_{number}(),\n" for number, family in enumerate(scorers))
    return "\n\n\n".join([common, *functions, f"SCORERS = {{\n{classes}}}"]) + "\n"


def require_bound(source: str) -> None:
    """Raise TypeError for global names that a portable source reads and nothing in it binds.

    They would be missed where the model is loaded, on another machine.
    """
    module = compile(source, "<scorers>", "exec")
    bound = {instruction.argval for instruction in get_instructions(module) if instruction.opname == "STORE_NAME"}
    read = {
        instruction.argval
        for code in _codes(module)
        for instruction in get_instructions(code)
        if instruction.opname == "LOAD_GLOBAL"
    }
    if unbound := sorted(read - bound - set(dir(builtins))):
        raise TypeError(
            f"scorers use {', '.join(unbound)}, which is not logged with them; bind it at the top of a module"
        )


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield a code object and all that are inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _function(number: int, scorer: type[Any]) -> str:
    """Return the source of a function that returns the class."""
    body = "\n\n".join(dict.fromkeys(_parts(scorer.__module__, scorer.__name__, set())))
    return f"def scorer_{number}():\n{_indented(body)}\n\n    return {scorer.__name__}"


def _indented(source: str) -> str:
    """Return a source one level deeper; lines inside of strings other than docstrings are as they were."""
    tree = ast.parse(source)
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr) and node not in docstrings and node.end_lineno is not None
    ]
    inside = {line for one in texts for line in range(one.lineno + 1, (one.end_lineno or 0) + 1)}
    lines = enumerate(source.splitlines(), start=1)
    return "\n".join(line if number in inside or not line else f"    {line}" for number, line in lines)


def _parts(module: str, name: str, visited: set[tuple[str, str]]) -> Iterator[str]:
    """Yield the source of a module's definition or import, after all that it refers to."""
    statements = _statements(module)
    statement = statements.get(name)
    if statement is None or (module, name) in visited:
        return
    visited.add((module, name))
    if isinstance(statement, ast.ImportFrom | ast.Import):
        yield from _imported(module, statement, name, visited)
        return
    for used in _names_in(statement):
        yield from _parts(module, used, visited)
    yield _source_of(module, statement)


def _imported(
    module: str, statement: ast.ImportFrom | ast.Import, name: str, visited: set[tuple[str, str]]
) -> Iterator[str]:
    (alias,) = (one for one in statement.names if name in (one.asname, one.name.partition(".")[0]))
    if isinstance(statement, ast.Import):
        yield f"import {ast.unparse(alias)}"
        return
    origin = resolve_name("." * statement.level + (statement.module or ""), module.rpartition(".")[0])
    if not _is_followed(module, origin):
        yield f"from {origin} import {ast.unparse(alias)}"
        return
    if alias.asname not in (None, alias.name):
        raise TypeError(f"{module} imports {alias.name} as {alias.asname}; a scorer needs it under its own name")
    if origin != portable_model.__name__:
        yield from _parts(origin, alias.name, visited)


def _is_followed(module: str, origin: str) -> bool:
    """Return whether what a module imports from another is logged too: from its own package, or from candidates."""
    if origin.partition(".")[0] != "pipelines":
        return origin.partition(".")[0] == module.partition(".")[0]
    if origin.startswith("pipelines.candidates."):
        return True
    raise TypeError(f"the scorer in {module} uses {origin}, which is not logged with models; copy what it needs")


@cache
def _statements(module: str) -> dict[str, ast.stmt]:
    """Return the top-level statements of a module by the names that they bind."""
    import_module(module)
    bound: dict[str, ast.stmt] = {}
    for statement in ast.parse(_text(module)).body:
        match statement:
            case ast.ClassDef() | ast.FunctionDef():
                bound[statement.name] = statement
            case ast.Assign():
                targets = [one for target in statement.targets for one in ast.walk(target)]
                bound |= {one.id: statement for one in targets if isinstance(one, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                bound[name] = statement
            case ast.Import() | ast.ImportFrom():
                bound |= {one.asname or one.name.partition(".")[0]: statement for one in statement.names}
    return bound


def _names_in(statement: ast.stmt) -> Iterator[str]:
    yield from dict.fromkeys(node.id for node in ast.walk(statement) if isinstance(node, ast.Name))


def _source_of(module: str, statement: ast.stmt) -> str:
    decorators = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(one.lineno for one in decorators)])
    return "\n".join(_text(module).splitlines()[first - 1 : statement.end_lineno])


def _text(module: str) -> str:
    return Path(str(sys.modules[module].__file__)).read_text()
