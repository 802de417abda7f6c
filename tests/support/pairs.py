"""Results with pairs as a model would write them, for exports."""

from collections.abc import Sequence

from schemas import Document, ModelRef, Pair, Reason, RejectedPair, Result
from schemas.ids import pair_id
from tests.support.outcomes import make_result

BELOW = Reason(check="answer_score", detail="0.2 < 0.7")


def a_pair(question: str, answer: str = "五伏。", *, kind: str = "factual", **more: object) -> Pair:
    """Its id is set by `a_result`."""
    fields = {"reasoning": "因为书上这样写。", "language": "zh", **more}
    return Pair(id="0" * 32, type=kind, question=question, answer=answer, **fields)


def a_result(
    document: Document,
    index: int,
    pairs: Sequence[Pair],
    rejected: Sequence[Pair] = (),
    *,
    text: str | None = None,
    model: str = "qwen-vllm",
    start: int | None = None,
) -> Result:
    """Of chunk `index`, whose text is its own unless it is given, and which overlaps no other."""
    text = f"{document.path} {index}: its very own text {hash_word(document.path, index)}" if text is None else text
    result = make_result(document, index, text=text)
    kept = tuple(_named(pair, result.record_id, place) for place, pair in enumerate(pairs))
    refused = tuple(
        RejectedPair(pair=_named(pair, result.record_id, 100 + place), reasons=(BELOW,))
        for place, pair in enumerate(rejected)
    )
    begin = index * 10_000 if start is None else start
    place = result.chunk.model_copy(update={"start": begin, "end": begin + len(text)})
    return result.model_copy(
        update={"pairs": kept, "rejected": refused, "model": ModelRef(name=model, root=f"Org/{model}"), "chunk": place}
    )


def hash_word(path: str, index: int) -> str:
    """Words that no other chunk has, so that no two texts are alike."""
    word = pair_id(path, index)
    return " ".join(word[i : i + 4] for i in range(0, 32, 4))


def _named(pair: Pair, record: str, place: int) -> Pair:
    return pair.model_copy(update={"id": pair_id(record, place)})
