import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.ids import document_id
from schemas.paths import escape, source_name, unescape

names = st.binary(min_size=1, max_size=60).filter(lambda name: b"\0" not in name).map(os.fsdecode)


@given(names)
def test_escaping_is_reversible_and_printable(name: str) -> None:
    escaped = escape(name)
    assert unescape(escaped) == name
    escaped.encode()  # no lone surrogates
    assert "\n" not in escaped
    document_id("source", escaped)


def test_ordinary_names_stay_as_they_are() -> None:
    for name in ("a/b c.txt", "第一章/概述　总论.md", "é🙂.txt"):
        assert escape(name) == name


def test_what_is_escaped() -> None:
    assert escape("a\nb") == "a\\x0ab"
    assert escape(os.fsdecode(b"\xd6\xd0.txt")) == "\\xd6\\xd0.txt"
    assert escape("a\\x0ab") == "a\\\\x0ab"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (b"/data/texts", "texts"),
        (b"/data/My Texts!", "My-Texts"),
        ("/资料/文本".encode(), "文本"),
        (b"/data/caf\xe9", "caf-xe9"),
        (b"/data/a\tb", "a-x09b"),
        (b"/", "input"),
    ],
)
def test_source_is_named_after_the_directory(path: bytes, name: str) -> None:
    assert source_name(Path(os.fsdecode(path))) == name
