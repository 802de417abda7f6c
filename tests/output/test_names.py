import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from output.names import document_name
from schemas import Document
from schemas.ids import document_id

PATHS = st.lists(
    st.sampled_from([".", "..", "", "a", "b.txt", "@x", "@@", "a.json", "~", "x" * 300, "é" * 130, "\0", "\n", "C:", "\\"])
    | st.text(max_size=12),
    min_size=1, max_size=6,
).map("/".join)  # fmt: skip
SOURCES = st.sampled_from(["texts", "other", "..", "", "/etc", "a/b", "@@", "@", "x" * 300]) | st.text(max_size=8)


def document(path: str, source: str = "texts") -> Document:
    return Document(id=document_id(source, path), source=source, path=path, version=1)


def test_the_output_mirrors_the_input_tree():
    assert str(document_name(document("semiconductor/a.md"), first_source="texts")) == "semiconductor/a.md.json"


def test_further_sources_have_a_folder_each():
    assert str(document_name(document("a.md", "news"), first_source="texts")) == "@news/a.md.json"


@pytest.mark.parametrize(
    "path", ["../a", "/etc/passwd", "a/../../b", "a//b", "", "a/", "./a", "a\0b", "@news/a", "x.json/b", "x" * 251, "\ud800"]
)  # fmt: skip
def test_what_can_not_be_a_name_here_is_named_by_its_id(path):
    given_document = document("x").model_copy(update={"path": path})
    assert str(document_name(given_document, first_source="texts")) == f"@@/{given_document.id}.json"


@given(PATHS, SOURCES)
def test_no_name_leads_out_of_the_folder(tmp_path_factory, path, source):
    root = tmp_path_factory.getbasetemp() / "documents"
    name = document_name(document(path, source), first_source="texts")
    target = os.path.normpath(root / name)
    assert Path(target).is_relative_to(root)
    assert target == str(root / name)  # nothing to normalise
    assert all(len(os.fsencode(part)) <= 255 for part in name.parts)
    assert "\0" not in str(name)


@given(st.lists(st.tuples(PATHS, SOURCES), min_size=2, max_size=8, unique=True))
def test_two_documents_have_two_names_and_none_is_the_folder_of_another(places):
    documents = [document(path, source) for path, source in places]
    names = [document_name(each, first_source="texts") for each in documents]
    assert len(set(names)) == len({each.id for each in documents})
    assert not any(one in other.parents for one in names for other in names)
