"""Text that came as JSON: it may hold halves of surrogate pairs, which no UTF-8 can hold."""


def encodable(text: str) -> str:
    """The text with `?` for each half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode()


def is_encodable(text: str) -> bool:
    """True for text without halves of surrogate pairs."""
    return encodable(text) == text
