"""File names for documents. Paths come from messages: none may lead out of the output directory.

    <path>.json             documents of the namespace's first source, mirroring its tree
    @<source>/<path>.json   documents of further sources
    @@/<document id>.json   paths that can't be a file name here

Components that start with "@" or, within a path, end in ".json" or ".parquet" are not taken over: they could meet the
names above. Parquet files have the same names, with ".parquet" for ".json".
"""

import os
import re
from pathlib import PurePosixPath

from schemas import Document

SUFFIX = ".json"
PARQUET_SUFFIX = ".parquet"
MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 2048
"""Well below PATH_MAX (4096 on Linux), which counts the output directory's own path too."""
SOURCE = re.compile(r"[\w.-]{1,200}")


def document_name(document: Document, *, first_source: str) -> PurePosixPath:
    """Relative to documents/."""
    path = f"{document.path}{SUFFIX}"
    if not _is_safe(path) or not SOURCE.fullmatch(document.source):
        return PurePosixPath("@@", f"{document.id}{SUFFIX}")
    if document.source == first_source:
        return PurePosixPath(path)
    return PurePosixPath(f"@{document.source}", path)


def _is_safe(path: str) -> bool:
    *folders, name = path.split("/")
    longest = name.removesuffix(SUFFIX) + PARQUET_SUFFIX
    try:
        size = len(os.fsencode(path))
    except UnicodeEncodeError:
        return False
    return (
        size <= MAX_PATH_BYTES
        and name != SUFFIX
        and all(_is_component(part) for part in (*folders, longest))
        and not any(folder.endswith((SUFFIX, PARQUET_SUFFIX)) for folder in folders)
    )


def _is_component(part: str) -> bool:
    taken = part in ("", ".", "..") or part.startswith("@") or "\0" in part
    return not taken and len(os.fsencode(part)) <= MAX_NAME_BYTES
