"""What is known by language, and what a third language takes: one `Language`, and prompts with its code as suffix."""

import re
from itertools import pairwise

import pytest

from configs.errors import SettingsError
from configs.recipe import load_recipe
from languages import LANGUAGES, language_of
from languages.language import Language, Languages, Writing
from languages.sentences import sentence_rules
from languages.words import stem
from producer.text.splitting import Sizes, split


def in_devanagari(text: str) -> bool:
    return sum("\u0900" <= c <= "\u097f" for c in text) * 2 > len(text)


HINDI = Language(
    code="hi",
    name="Hindi",
    claims=in_devanagari,
    accepts=in_devanagari,
    writing=Writing(ends="।", headings=((re.compile(r"अध्याय\s+\d+"), 1),), heading_starts="अ"),
)
THREE = Languages(HINDI, *LANGUAGES)
TEXT = "अध्याय 1 वेफर\n\nसिलिकॉन एक अर्धचालक है। इसका उपयोग चिप में होता है।"


def test_a_text_is_in_the_language_that_claims_it():
    assert language_of("栅极氧化层的厚度为 2 nm。").code == "zh"
    assert language_of("The gate oxide (栅氧) is 2 nm thick.").code == "en"
    assert language_of("12345").code == "en"


@pytest.mark.parametrize(
    ("code", "text", "accepted"),
    [
        ("zh", "栅极氧化层的厚度为 2 nm。", True),
        ("zh", "The oxide is 2 nm thick.", False),
        ("en", "The oxide is 2 nm thick.", True),
        ("en", "厚度为 2 nm。", False),
        ("en", "LTPS, 2 nm", True),
        ("en", "Оксид толщиной 2 nm", False),
    ],
)
def test_an_answer_is_in_a_language_or_in_names_and_units_only(code, text, accepted):
    assert LANGUAGES[code].accepts(text) is accepted


def test_sentences_of_both_languages_end_in_one_text():
    text = "It is 3.5 V. See Fig. 2 now. 厚度为 2 nm。然后刻蚀！Done."
    ends = [0, *(end for end, _ in sentence_rules().sentence_ends(text)), len(text)]
    assert [text[a:b] for a, b in pairwise(ends)] == [
        "It is 3.5 V. ", "See Fig. 2 now. ", "厚度为 2 nm。", "然后刻蚀！", "Done.",
    ]  # fmt: skip


def test_a_third_language_is_recognised():
    assert THREE.codes == ("hi", "zh", "en")
    assert [THREE.of(text).code for text in (TEXT, "栅极氧化层。", "The gate oxide.")] == ["hi", "zh", "en"]


def test_a_third_language_has_its_sentences_and_headings():
    """Without it the danda ends no sentence and no line is a heading."""
    chunks = list(split([TEXT], Sizes(size=60), languages=THREE))
    assert "".join(chunk.text for chunk in chunks) == TEXT
    assert len(chunks) > 1
    assert all(chunk.text.rstrip().endswith("।") for chunk in chunks)
    assert {chunk.title for chunk in chunks} == {"अध्याय 1 वेफर"}
    assert {chunk.title for chunk in split([TEXT], Sizes(size=60))} == {""}
    ended = [TEXT[:end].rstrip()[-1] for end, is_sentence in sentence_rules(THREE).sentence_ends(TEXT) if is_sentence]
    assert ended == ["।"]  # the end of the text is none
    assert not any(is_sentence for _, is_sentence in sentence_rules().sentence_ends(TEXT))


def test_a_word_loses_the_endings_of_its_own_language():
    assert [stem(word) for word in ("layers", "grown", "1,000", "层")] == ["layer", "grow", "1000", "层"]


def test_a_third_language_asks_for_prompts_by_its_code(monkeypatch):
    monkeypatch.setattr("configs.recipe.LANGUAGES", THREE)
    with pytest.raises(SettingsError, match=r"no file \w+\.hi\.txt"):
        load_recipe("fast")
