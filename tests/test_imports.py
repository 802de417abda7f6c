"""Who may import whom: Kafka and HTTP connect the stages, never an import."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BASE = {"schemas", "configs", "telemetry", "messaging", "ledger", "output", "languages", "inference"}
MAY_IMPORT = {
    "schemas": set(),
    "configs": {"languages"},
    "telemetry": {"configs", "schemas"},
    "messaging": {"schemas", "configs", "telemetry"},
    "ledger": {"schemas"},
    "output": {"schemas", "configs", "ledger"},
    "languages": set(),
    "inference": {"configs", "schemas"},
    "producer": BASE,
    "consumer": BASE,
    "server": BASE,
    "pipeline": BASE,
}
WINGS = {"group": set(), "model": set(), "checks": set(), "recipe": {"model", "checks"}}
"""The folders of consumer/worker, and which of them each may import."""
COMMON = {"errors", "outcome"}
"""The modules of consumer/worker that all its folders may import; the others put the folders together."""


def imported(file: Path) -> set[str]:
    """Top-level packages that a file imports, those named for `import_module` included."""
    return {name.partition(".")[0] for name in imported_modules(file)}


def imported_modules(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), filename=str(file))):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.Constant(value=str(text)) if text.replace(".", "").isidentifier() and "." in text:
                yield text


def files_of(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_stands_below_it(package: str) -> None:
    wrong = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in files_of(package)
        for name in imported(file)
        if name in MAY_IMPORT and name != package and name not in MAY_IMPORT[package]
    }
    assert not wrong


@pytest.mark.parametrize("wing", WINGS)
def test_a_wing_of_the_worker_imports_only_what_stands_below_it(wing: str) -> None:
    names = [name.split(".") for file in files_of(f"consumer/worker/{wing}") for name in imported_modules(file)]
    of_worker = {parts[2] for parts in names if parts[:2] == ["consumer", "worker"]}
    assert of_worker <= WINGS[wing] | COMMON | {wing}


def test_chaos_does_without_the_tests() -> None:
    assert not [file for file in files_of("chaos") if "tests" in imported(file)]


def test_no_wing_of_the_worker_is_missing_from_the_table() -> None:
    assert {init.parent.name for init in (ROOT / "consumer" / "worker").glob("*/__init__.py")} == set(WINGS)


def test_no_package_is_missing_from_the_table() -> None:
    packages = {init.parent.name for init in ROOT.glob("*/__init__.py")} - {
        "tests",
        "LocalModels",
        "benchmarks",
        "chaos",
        "tools",
    }
    assert packages == set(MAY_IMPORT)


def test_stages_hold_files() -> None:
    assert all(files_of(package) for package in MAY_IMPORT)
