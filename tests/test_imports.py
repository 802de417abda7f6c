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


def imported(file: Path) -> Iterator[str]:
    """Top-level packages that a file imports, those named for `import_module` included."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), filename=str(file))):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]
            case ast.Constant(value=str(text)) if text.replace(".", "").isidentifier() and "." in text:
                yield text.partition(".")[0]


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
