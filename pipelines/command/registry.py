"""Registers what a package offers by scanning its modules, so that one new file is enough to add one."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

T = TypeVar("T")


def registered(package: str, kind: type[T]) -> Iterator[T]:
    """Yield the module constants of a kind in the modules of a package, in alphabetical order of the modules.

    A constant that one module imports from another is yielded once.
    """
    members: list[T] = []
    for module in sorted(one.name for one in iter_modules(import_module(package).__path__)):
        constants = vars(import_module(f"{package}.{module}")).values()
        members.extend(one for one in constants if isinstance(one, kind) and not any(one is other for other in members))
    yield from members
