"""Files that `producer --once` left undone, as it says at its end: they could not be read, or still grew."""

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

FAILED = 1
ENDS = frozenset({0, 3})
"""Exit codes with which `producer --once` may end; 3 says that a file went to the dead letters."""
_UNDONE = TypeAdapter(dict[str, str])


def undone_file(home: Path) -> Path:
    return home / "undone.json"


def undone(home: Path) -> dict[str, str]:
    """Returns the reason by path; nothing where the producer did not come to its end."""
    try:
        return _UNDONE.validate_json(undone_file(home).read_bytes())
    except (FileNotFoundError, ValidationError):
        return {}


def may_end(home: Path, code: int) -> bool:
    """Tells whether the producer that ended with `code` did all it could, so that the run goes on to its end."""
    return code in ENDS or (code == FAILED and bool(undone(home)))
