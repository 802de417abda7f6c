"""`make demo` with names that a shell or make would read as their own."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout with everything installed, whose Python says its arguments, one a line."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    version = re.search(r"^UV_VERSION := (\S+)", makefile, re.MULTILINE)
    assert version
    (tmp_path / "Makefile").write_text(makefile, encoding="utf-8")
    for name in ("pyproject.toml", "uv.lock", f".tools/.uv-{version[1]}", ".venv/bin/python", ".venv/.local"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n", encoding="utf-8")
    (tmp_path / ".venv/bin/python").chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    "name", ['two "words"', "tick`touch owned`", "$HOME $(touch owned) $$", "it's", "schöne Texte"]
)
def test_a_name_reaches_the_pipeline_as_it_is(checkout: Path, name: str):
    said = subprocess.run(
        ["make", "--silent", "demo", f"INPUT={name}", f"OUTPUT={name}", "ARGS=--workers 2"],
        cwd=checkout, capture_output=True, text=True, check=True, timeout=60,
    ).stdout.splitlines()  # fmt: skip
    assert [said[said.index(flag) + 1] for flag in ("--input-dir", "--output-dir", "--recipe")] == [
        name,
        name,
        "standard",
    ]
    assert said[-2:] == ["--workers", "2"]
    assert not (checkout / "owned").exists()
