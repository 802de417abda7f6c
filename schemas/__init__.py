"""The message contract: what stands on QAStream's topics, in any language.

Import what you need from here; `schemas/json/` has the same as JSON Schema.
"""

from .codec import DecodeError, decode, encode
from .messages import (
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
from .topics import TopicNames

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
