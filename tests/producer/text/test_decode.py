import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import SettingsError
from producer.errors import RejectedError
from producer.text.decode import Decoder, check_encoding
from producer.text.encodings import SAMPLE_BYTES

CHINESE = "半导体是一种电导率介于导体与绝缘体之间的材料，常见的有硅和锗。"
TRADITIONAL = "半導體是一種電導率介於導體與絕緣體之間的材料，常見的有矽和鍺。"
plain = st.text(st.characters(exclude_characters="\0\ufeff", exclude_categories=("Cs",)), max_size=200)


def decode(data: bytes, *, piece: int = 0, forced: str | None = None) -> tuple[str, str]:
    decoder = Decoder(forced)
    step = piece or max(1, len(data))
    text = "".join(decoder.feed(data[at : at + step]) for at in range(0, len(data), step))
    return text + decoder.feed(b"", final=True), decoder.encoding


def normalised(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(plain, st.integers(1, 7), st.sampled_from(("utf-8", "utf-8-sig", "utf-16-le", "utf-16-be")))
def test_unicode_comes_back_whole_in_any_pieces(text: str, piece: int, encoding: str) -> None:
    mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(encoding, b"")
    assert decode(mark + text.encode(encoding), piece=piece)[0] == normalised(text)


@pytest.mark.parametrize("text", [CHINESE, "abc\r\n" * 40 + CHINESE, "半导体", "中文abc"])
@pytest.mark.parametrize("piece", [0, 1, 3])
def test_gb18030(text: str, piece: int) -> None:
    assert decode(text.encode("gb18030"), piece=piece) == (normalised(text), "gb18030")


def test_big5() -> None:
    assert decode((TRADITIONAL * 3).encode("big5"), piece=5) == (TRADITIONAL * 3, "big5hkscs")


def test_an_ascii_beginning_of_any_length_says_nothing_of_the_rest() -> None:
    text = "plain text\n" * 20_000 + CHINESE * 2000
    assert decode(text.encode("gb18030"), piece=4096) == (text, "gb18030")


@pytest.mark.parametrize(
    "text,encoding",
    [
        ("Le café est fermé. L'été arrive.", "cp1252"),
        ("Русский текст о полупроводниках", "cp1251"),
        ("半導体の文章です。", "shift_jis"),
    ],
)
def test_other_encodings_are_refused_and_not_guessed(text: str, encoding: str) -> None:
    with pytest.raises(RejectedError, match="--encoding"):
        decode(text.encode(encoding))
    assert decode(text.encode(encoding), forced=encoding) == (text, encoding)


@given(plain.filter(lambda text: len(text) > 3), st.data(), st.integers(1, 9))
def test_the_first_bad_byte_is_named(text: str, data: st.DataObject, piece: int) -> None:
    at = data.draw(st.integers(0, len(text)))
    before = text[:at].encode()
    with pytest.raises(RejectedError, match=rf"byte {len(before)} \(0xff\) is not utf-8"):
        decode(before + b"\xff" + text[at:].encode(), piece=piece, forced="utf-8")


def test_a_bad_byte_far_behind_the_sample_is_named() -> None:
    data = CHINESE.encode() * 2000
    assert len(data) > 2 * SAMPLE_BYTES
    with pytest.raises(RejectedError, match=f"byte {len(data)} .0x80. is not utf-8"):
        decode(data + b"\x80" + data, piece=1000)


def test_a_file_cut_in_the_middle_of_a_character_is_refused() -> None:
    data = (CHINESE * 9).encode()
    with pytest.raises(RejectedError, match="byte") as caught:
        decode(data[:-1])
    assert caught.value.kind == "undecodable"


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"abc\0def", 3),
        ("中文\0".encode(), 6),
        (codecs.BOM_UTF16_LE + "ab\0".encode("utf-16-le"), 6),
        ("ab".encode("utf-16-le"), 1),
    ],
)
@pytest.mark.parametrize("piece", [0, 1])
def test_nul_is_binary(data: bytes, offset: int, piece: int) -> None:
    with pytest.raises(RejectedError, match=f"byte {offset} is a NUL") as caught:
        decode(data, piece=piece)
    assert caught.value.kind == "binary"


@pytest.mark.parametrize("piece", [0, 1, 2])
def test_line_ends_become_newlines_even_across_pieces(piece: int) -> None:
    assert decode(b"a\r\nb\rc\n\r\nd\r", piece=piece)[0] == "a\nb\nc\n\nd\n"


def test_an_empty_file_is_utf_8() -> None:
    assert decode(b"") == ("", "utf-8")
    assert decode(codecs.BOM_UTF8) == ("", "utf-8")


def test_the_name_of_an_encoding_is_checked() -> None:
    check_encoding("gbk")
    check_encoding(None)
    for name in ("nonsense", "zlib", "rot13"):
        with pytest.raises(SettingsError, match=name):
            check_encoding(name)


@pytest.mark.parametrize("piece", [0, 1])
@pytest.mark.parametrize(("data", "what"), [(b"%PDF-1.7\n\xe2\xe3\xcf\xd3", "a PDF"), (b"PK\x03\x04\x14", "a ZIP")])
def test_what_has_to_be_converted_is_said_to(data: bytes, what: str, piece: int) -> None:
    with pytest.raises(RejectedError, match=f"byte 0 begins {what}.*convert it to text first") as caught:
        decode(data, piece=piece)
    assert caught.value.kind == "binary"
