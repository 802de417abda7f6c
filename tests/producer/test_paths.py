import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.paths import Wanted, escape, source_name
from schemas.ids import document_id
from schemas.paths import unescape

names = st.binary(min_size=1, max_size=30).filter(lambda name: b"\0" not in name).map(os.fsdecode)


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
    [("/data/texts", "texts"), ("/data/My Texts!", "My-Texts"), ("/资料/文本", "文本"), ("/", "input")],
)
def test_source_is_named_after_the_directory(path: str, name: str) -> None:
    assert source_name(Path(path)) == name


def test_temporary_and_hidden_files_are_not_wanted() -> None:
    wanted = Wanted()
    assert wanted.file("a/b.txt")
    assert wanted.file("README")
    for name in (".hidden", "a.txt~", "a.swp", "b.tmp", "c.part", "#a.txt#", "sub/.x"):
        assert not wanted.file(name)
    assert wanted.directory("sub")
    assert not wanted.directory(".git")


def test_globs() -> None:
    wanted = Wanted(include=("*.txt", "docs/*.md"), exclude=("draft*", "docs/old/*"))
    assert wanted.file("a.txt")
    assert wanted.file("docs/deep/a.md")
    assert not wanted.file("a.md")
    assert not wanted.file("x/draft.txt")
    assert not wanted.file("docs/old/a.md")
