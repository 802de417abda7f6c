"""Reads secrets from files, as container engines mount them: the variable NAME_FILE has the path of NAME's value."""

from collections.abc import Mapping
from pathlib import Path

from configs.errors import SettingsError

FILE = "_FILE"
MAX_BYTES = 64 * 1024


def read_secret_files(environ: Mapping[str, str], fields: Mapping[str, str]) -> dict[str, str]:
    """Return the secrets found in files, by setting. `fields` maps variables to settings.

    Raises SettingsError if a file can't be read, or if both a variable and its file are given.
    """
    given = {name.upper(): value for name, value in environ.items() if value}
    values = {}
    for name, field in fields.items():
        if path := given.get(name + FILE):
            if name in given:
                raise SettingsError(f"{name} and {name}{FILE} are both set: which is right? Unset one")
            values[field] = _read(path, name + FILE)
    return values


def _read(path: str, variable: str) -> str:
    """Return the content without the line end that editors leave."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise SettingsError(f"{variable}: {path}: {exc.strerror}") from exc
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise SettingsError(f"{variable}: {path} is not text in UTF-8") from None
    if len(data) > MAX_BYTES or not text.strip():
        raise SettingsError(f"{variable}: {path} is {'too large for a secret' if text.strip() else 'empty'}")
    return text.rstrip("\r\n")
