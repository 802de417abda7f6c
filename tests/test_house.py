"""House rules that reviews would forget: folder sizes, names, docstrings, and how far the client library reaches."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_imports import MAY_IMPORT, ROOT, files_of

MOST_FILES = 14
MOST_WITH_ALL_SETTINGS = 15
"""Functions that wire a program together from all its settings."""
PRODUCT = [*MAY_IMPORT, "tools"]
FRAGMENT = re.compile(r"\s*(Of|Whether|Those|Who|Which|What)\b")
"""A docstring that begins so has no subject or no verb when it is read in a tooltip."""
CLIENT_MODULES = re.compile(
    r"aiokafka\.(client|cluster|conn|coordinator|consumer\.\w+|producer\.\w+|protocol|record|util)\b"
)
FILES = [file for package in PRODUCT for file in files_of(package)]


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def place(file: Path, node: ast.AST) -> str:
    return f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def docstrings(file: Path) -> Iterator[tuple[ast.AST, str]]:
    """Strings that stand alone: those of modules, classes and functions, and those below a variable."""
    for node in ast.walk(tree(file)):
        for child in getattr(node, "body", []) if not isinstance(node, ast.Lambda | ast.IfExp) else []:
            match child:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield child, text


@pytest.mark.parametrize("package", [*PRODUCT, "chaos", "tests"])
def test_no_folder_is_a_heap(package: str) -> None:
    folders = defaultdict(int)
    for file in files_of(package):
        folders[file.parent] += 1
    limit = MOST_FILES if package != "tests" else 2 * MOST_FILES
    assert {str(folder.relative_to(ROOT)): n for folder, n in folders.items() if n > limit} == {}


def test_a_class_name_means_one_thing() -> None:
    classes = defaultdict(list)
    for file in FILES:
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.ClassDef):
                classes[node.name].append(place(file, node))
    assert {name: places for name, places in classes.items() if len(places) > 1} == {}


def test_functions_take_the_section_of_the_settings_that_they_need() -> None:
    takers = [
        f"{place(file, node)} {node.name}"
        for file in FILES
        for node in ast.walk(tree(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        if argument.annotation is not None and re.search(r"\bSettings\b", ast.unparse(argument.annotation))
    ]
    assert len(takers) <= MOST_WITH_ALL_SETTINGS, "\n".join(takers)


def test_private_parts_of_the_kafka_client_are_used_in_one_file() -> None:
    users = set()
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        imports = "\n".join(
            line for line in text.splitlines() if line.strip().startswith(("from aiokafka", "import aiokafka"))
        )
        if CLIENT_MODULES.search(imports) or (imports and "SLF001" in text):
            users.add(str(file.relative_to(ROOT)))
    assert len(users) == 1, users


@pytest.mark.parametrize("package", [*PRODUCT, "chaos"])
def test_a_docstring_is_a_sentence(package: str) -> None:
    fragments = [
        f"{place(file, node)} {text.strip()[:60]}"
        for file in files_of(package)
        for node, text in docstrings(file)
        if FRAGMENT.match(text)
    ]
    assert fragments == []
