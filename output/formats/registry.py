"""Lists the formats of complete documents."""

from configs.errors import SettingsError
from output.formats.derived import Derived
from output.formats.json_file import JsonFiles
from output.formats.parquet_file import ParquetFiles

FORMATS: dict[str, Derived] = {
    JsonFiles.name: JsonFiles(),
    ParquetFiles.name: ParquetFiles(),
}


def chosen_formats(names: tuple[str, ...]) -> tuple[Derived, ...]:
    """Returns the formats with these names. Raises SettingsError for a package that is not installed."""
    chosen = tuple(FORMATS[name] for name in dict.fromkeys(names))
    for derived in chosen:
        derived.check()
    return chosen


def readable_formats() -> tuple[Derived, ...]:
    """Returns all formats whose packages are installed."""
    return tuple(derived for derived in FORMATS.values() if _is_readable(derived))


def _is_readable(derived: Derived) -> bool:
    try:
        derived.check()
    except SettingsError:
        return False
    return True
