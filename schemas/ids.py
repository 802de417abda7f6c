"""Identifiers, calculated from what they name, so that a repeated step makes the same record again.

Each one is 32 hexadecimal characters, the first 128 bits of a SHA-256.
"""

from collections.abc import Sequence
from hashlib import sha256


def digest(*parts: str | int) -> str:
    """Hash `parts`, each after its length, so that ("ab", "c") and ("a", "bc") differ."""
    datas = [str(part).encode("utf-8", "surrogateescape") for part in parts]
    return sha256(b"".join([b"%d:%b" % (len(data), data) for data in datas])).hexdigest()[:32]


def document_id(source: str, path: str) -> str:
    return digest("document", source, path)


def chunk_id(document: str, version: int, index: int) -> str:
    return digest("chunk", document, version, index)


def content_key(text: str, headings: Sequence[str]) -> str:
    """Return the Kafka key of a chunk. Chunks with equal prompts have equal keys, so one worker gets them all."""
    return digest("content", text, *headings)


def record_id(chunk: str, generation: int, attempt: int) -> str:
    return digest("record", chunk, generation, attempt)


def pair_id(record: str, position: int) -> str:
    """Identify the pair at `position` among all pairs of a record, accepted and rejected ones."""
    return digest("pair", record, position)


def request_id(document: str, moment_ns: int) -> str:
    return digest("request", document, moment_ns)


def letter_id(topic: str, partition: int, offset: int) -> str:
    """Identify the dead letter of the record at this place. A file's letter is identified by document and version."""
    return digest("letter", topic, partition, offset)
