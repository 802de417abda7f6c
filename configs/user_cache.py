"""The user's cache directory, which all checkouts share (XDG base directory specification)."""

import os
from pathlib import Path

from configs.errors import SettingsError


def user_cache() -> Path:
    """Return our directory in the user's cache. Raises SettingsError for a user without a home directory."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "qastream")
    except RuntimeError:
        raise SettingsError("this user has no home directory: set XDG_CACHE_HOME to a directory for caches") from None
