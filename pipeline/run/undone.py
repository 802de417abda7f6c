"""What `producer --once` says at its end that it left undone: files that it could not read, or that still grew."""

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

FAILED = 1
ENDS = frozenset({0, 3})
"""Exit codes with which `producer --once` may end: 3 when a file went to the dead letters."""
_UNDONE = TypeAdapter(dict[str, str])


def undone_file(home: Path) -> Path:
    return home / "undone.json"


def undone(home: Path) -> dict[str, str]:
    """Why, by path. Empty also where the producer did not come to its end."""
    try:
        return _UNDONE.validate_json(undone_file(home).read_bytes())
    except (FileNotFoundError, ValidationError):
        return {}


def may_end(home: Path, code: int) -> bool:
    """Whether a producer that ended with `code` did all that it could: then the run goes on to its end."""
    return code in ENDS or (code == FAILED and bool(undone(home)))
