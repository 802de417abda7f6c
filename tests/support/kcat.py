"""kcat, a reader of Kafka topics that is not ours (Debian: kcat)."""

import shutil


def obstacle() -> str | None:
    """Why it can't be used here; None when it can."""
    return None if shutil.which("kcat") else "there is no kcat on the PATH (Debian: kcat)"
