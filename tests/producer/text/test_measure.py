from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from configs.errors import SettingsError
from producer.text.measure import Characters, Measure, Tokens, load_tokens
from producer.text.splitting import Sizes, split, splitter_hash
from tests.producer.text.texts import SENTENCES, documents, paragraphs


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """Byte-level BPE, as the Qwen models have, of a few hundred tokens."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=600, show_progress=False, initial_alphabet=alphabet)
    made.train_from_iterator([*SENTENCES, *paragraphs(5, 50)], trainer)
    return made


@pytest.fixture(scope="module")
def tokens(tokenizer: Tokenizer) -> Tokens:
    return Tokens(tokenizer)


@settings(max_examples=60)
@given(text=documents, size=st.integers(50, 300), data=st.data())
def test_chunks_in_tokens_have_exact_offsets_and_their_size(
    tokens: Tokens, text: str, size: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, size // 2))
    at = 0
    for chunk in split([text], Sizes(size=size, overlap=overlap, measure=tokens)):
        assert text[chunk.start : chunk.end] == chunk.text
        assert 0 < tokens.size(chunk.text) <= size
        assert text[at : chunk.start].strip() == ""
        at = chunk.end
    assert text[at:].strip() == ""


@pytest.mark.parametrize("overlap", [0, 60])
def test_chunks_are_filled_by_tokens(tokens: Tokens, overlap: int) -> None:
    text = "\n\n".join(paragraphs(2, 300))
    sizes = [tokens.size(chunk.text) for chunk in split([text], Sizes(size=400, overlap=overlap, measure=tokens))]
    assert max(sizes) <= 400
    assert sum(sizes) / len(sizes) > 220


def test_a_heading_above_a_chunk_counted_in_tokens(tokens: Tokens) -> None:
    text = "Book\n====\n\n# One\n\n" + "First part. " * 60 + "\n\n## Two\n\n" + "Second part. " * 60
    chunks = list(split([text], Sizes(size=100, measure=tokens)))
    assert chunks[-1].headings == ("One", "Two")
    assert {chunk.title for chunk in chunks} == {"Book"}


@pytest.mark.parametrize("most", [*range(20), 10**6])
def test_a_tail_has_at_most_so_many_tokens(tokens: Tokens, most: int) -> None:
    text = "".join(SENTENCES)
    for measure in (tokens, Characters()):
        tail = measure.tail(text, most)
        assert text.endswith(tail)
        assert measure.size(tail) <= most
    assert tokens.tail(text, 10**6) == text


def test_tokenizers_are_told_apart(tokenizer: Tokenizer, tokens: Tokens) -> None:
    other = Tokenizer.from_str(tokenizer.to_str())
    other.add_tokens(["another"])
    measures: list[Measure] = [Characters(), tokens, Tokens(other)]
    assert len({splitter_hash(Sizes(size=100, measure=measure), encoding=None) for measure in measures}) == 3
    again = Tokens(Tokenizer.from_str(tokenizer.to_str()))
    assert again.name == tokens.name


def test_a_tokenizer_is_a_file_or_a_model_s_directory(tokenizer: Tokenizer, tokens: Tokens, tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    tokenizer.save(str(file))
    assert load_tokens(str(file)).name == load_tokens(str(tmp_path)).name == tokens.name


def test_what_is_no_tokenizer_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(SettingsError, match=r"--tokenizer .*tokenizer\.json, a model's directory"):
        load_tokens(str(tmp_path / "tokenizer.json"))
