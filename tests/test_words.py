"""Messages, log lines, reports and help speak plainly: a short list of retired metaphors does not come back."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.command.settings_reference import settings_of
from pipelines.command.verbs import VERBS, schema_of

ROOT = Path(__file__).resolve().parents[1]

RETIRED = re.compile(
    r"\b(told|tells?|says?|said|asked|lies?|stands?|stood|leases?|conduct|exhibits?|kept for ever|nobody|whoever|"
    r"beforehand|once more|of one's own|be had|be let in|is none|are none|lets us|is no JSON|held against|yardstick|"
    r"through the door|by lot)\b",
    re.IGNORECASE,
)


def sentences(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the texts of several words in a module, and their lines; docstrings are left out."""
    docstrings = {
        id(statement.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for statement in node.body
        if isinstance(statement, ast.Expr)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
        if is_text and " " in node.value:
            yield node.lineno, node.value


@pytest.mark.parametrize("package", ["pipelines", "experiments", "monitoring"])
def test_no_text_of_a_module_has_a_retired_word(package: str) -> None:
    breaches = [
        f"{path.relative_to(ROOT)}:{line}: {word[0]}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for line, text in sentences(ast.parse(path.read_text()))
        if (word := RETIRED.search(text))
    ]
    assert not breaches


@pytest.mark.parametrize("package", ["experiments", "monitoring"])
def test_no_page_has_a_retired_word(package: str) -> None:
    pages = {path: re.sub(r"\{[{%#].*?[}%#]\}", "", path.read_text()) for path in (ROOT / package).rglob("*.html*")}
    assert pages
    assert not [(path.name, word[0]) for path, text in pages.items() if (word := RETIRED.search(text))]


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_has_no_retired_word(verb: str) -> None:
    meanings = [VERBS[verb].meaning, *(setting.meaning for setting in settings_of(schema_of(verb)))]
    assert not [(text, word[0]) for text in meanings if (word := RETIRED.search(text))]


def test_the_parts_of_a_message_are_read() -> None:
    tree = ast.parse('def f(value):\n    """Is none."""\n    raise ValueError(f"{value} is none: {value}")\n')
    assert [text for _, text in sentences(tree)] == [" is none: "]
