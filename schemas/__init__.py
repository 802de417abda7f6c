"""The message contract: what stands on QAStream's topics, in any language.

Import what you need from here; `schemas/json/` has the same as JSON Schema.
"""

from schemas.codec import DecodeError, decode, encode
from schemas.messages import (
    Chunk,
    ChunkRef,
    CompleteVersion,
    DeadLetter,
    Document,
    Evidence,
    FileState,
    LedgerEntry,
    ModelRef,
    Origin,
    Original,
    OutcomeError,
    Pair,
    PairType,
    Reason,
    RecipeRef,
    RejectedPair,
    ReplayMarker,
    Request,
    Result,
    Status,
    Timing,
    Usage,
)
from schemas.topics import TopicNames

__all__ = [
    "Chunk",
    "ChunkRef",
    "CompleteVersion",
    "DeadLetter",
    "DecodeError",
    "Document",
    "Evidence",
    "FileState",
    "LedgerEntry",
    "ModelRef",
    "Origin",
    "Original",
    "OutcomeError",
    "Pair",
    "PairType",
    "Reason",
    "RecipeRef",
    "RejectedPair",
    "ReplayMarker",
    "Request",
    "Result",
    "Status",
    "Timing",
    "TopicNames",
    "Usage",
    "decode",
    "encode",
]
