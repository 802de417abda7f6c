"""Packs ledger entries for memory: most of their bytes are the same from one file to the next."""

import zlib
from datetime import UTC, datetime

from schemas import CompleteVersion, Document, FileState, LedgerEntry, encode


def _dictionary() -> bytes:
    """Returns a typical entry. Deflate refers to it for everything but ids, hashes and numbers."""
    zeros = "0" * 64
    document, updated_at = Document(id=zeros[:32], source="", path=".txt", version=1), datetime(2026, 1, 1, tzinfo=UTC)
    complete = CompleteVersion(
        version=1, chunks=1, characters=1, size_bytes=1, sha256=zeros, encoding="utf-8", splitter=zeros[:32]
    )
    entry = LedgerEntry(
        document=document, state=FileState.COMPLETE, size_bytes=1, mtime_ns=10**18, sha256=zeros, encoding="utf-8",
        splitter=zeros[:32], chunks=1, complete=complete, updated_at=updated_at,
    )  # fmt: skip
    return encode(entry)


_DICTIONARY = _dictionary()
_WINDOW = 11
"""The window is 2 kB, as long as the dictionary: a larger one takes longer to set up for each entry."""


def pack(value: bytes) -> bytes:
    """Returns a quarter of the bytes. `value` itself may hold an encoder's buffer that is ten times as large."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -_WINDOW, 4, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)
    return deflate.compress(value) + deflate.flush()


def unpack(packed: bytes) -> bytes:
    return zlib.decompressobj(-_WINDOW, _DICTIONARY).decompress(packed)
