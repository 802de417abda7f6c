"""Makes file names for documents. Paths come from messages, so no name may lead out of the output directory.

    <path>.json             documents of the namespace's first source, in the tree of their source
    @<source>/<path>.json   documents of other sources
    @@/<document id>.json   documents whose path can't be a file name here

The last form is also taken for a path with a component that starts with "@", or with a folder that ends like a file of
one of the formats: such a path could meet the names above. Files of other formats have the same names but for the end.
"""

import os
import re
from pathlib import Path, PurePosixPath

from output.formats.derived import Derived
from output.formats.json_file import JsonFiles
from output.formats.registry import FORMATS
from output.layout import Layout
from schemas import Document

SUFFIX = JsonFiles.suffix
SUFFIXES = tuple(derived.suffix for derived in FORMATS.values())
MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 2048
"""Well below PATH_MAX (4096 on Linux), which counts the output directory's own path too."""
SOURCE = re.compile(r"[\w.-]{1,200}")


def document_name(document: Document, *, first_source: str) -> PurePosixPath:
    """Returns the document's JSON file, relative to documents/."""
    path = f"{document.path}{SUFFIX}"
    if not _is_safe(path) or not SOURCE.fullmatch(document.source):
        return PurePosixPath("@@", f"{document.id}{SUFFIX}")
    if document.source == first_source:
        return PurePosixPath(path)
    return PurePosixPath(f"@{document.source}", path)


def document_path(layout: Layout, derived: Derived, name: str | PurePosixPath) -> Path:
    """Returns the file of a document in one format; `name` is the name that `document_name` gave."""
    return layout.root / derived.folder / f"{str(name).removesuffix(SUFFIX)}{derived.suffix}"


def _is_safe(path: str) -> bool:
    *folders, name = path.split("/")
    longest = name.removesuffix(SUFFIX) + max(SUFFIXES, key=len)
    try:
        size = len(os.fsencode(path))
    except UnicodeEncodeError:
        return False
    return (
        size <= MAX_PATH_BYTES
        and name != SUFFIX
        and all(_is_component(part) for part in (*folders, longest))
        and not any(folder.endswith(SUFFIXES) for folder in folders)
    )


def _is_component(part: str) -> bool:
    taken = part in ("", ".", "..") or part.startswith("@") or "\0" in part
    return not taken and len(os.fsencode(part)) <= MAX_NAME_BYTES
