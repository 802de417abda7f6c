"""The message contract: the records on QAStream's topics. `schemas/json/` has it as JSON Schema."""

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
    "Chunk", "ChunkRef", "CompleteVersion", "DeadLetter", "DecodeError", "Document", "Evidence",
    "FileState", "LedgerEntry", "ModelRef", "Origin", "Original", "OutcomeError", "Pair",
    "PairType", "Reason", "RecipeRef", "RejectedPair", "ReplayMarker", "Request", "Result",
    "Status", "Timing", "TopicNames", "Usage", "decode", "encode",
]  # fmt: skip
