"""Writes all generated files (`python -m tools`), and prints the names of those that changed."""

from pathlib import Path

from tools import configuration, contract, dashboard, error_classes, metrics, rights
from tools.places import ROOT

WRITERS = (configuration, contract, dashboard, error_classes, metrics, rights)


def generated() -> dict[Path, str]:
    """Return the contents of all generated files by path."""
    return {path: content for writer in WRITERS for path, content in writer.pages().items()}


def main() -> None:
    for path, content in generated().items():
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
