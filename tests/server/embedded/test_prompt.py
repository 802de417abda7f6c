import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.embedded.errors import RequestError
from server.embedded.prompt import contents, count_tokens, framed_text, last_question


def framed(text: str) -> str:
    return f"<headings>\nA > B\n</headings>\n<text>\n{text}\n</text>\n\nAsk about it."


def test_the_text_stands_in_its_frame():
    assert framed_text([("system", "x"), ("user", framed("硅。"))]) == "硅。"


def test_the_last_message_with_a_text_wins():
    assert framed_text([("user", framed("a")), ("user", framed("b")), ("user", "and?")]) == "b"


def test_without_a_frame_there_is_no_text():
    assert framed_text([("user", "什么是半导体？")]) is None
    assert framed_text([("user", "<text> on one line </text>")]) is None


@given(st.lists(st.sampled_from(["硅。", "<text>", "</text>", "</headings>", "", "a"])).map("\n".join))
def test_nothing_in_the_text_breaks_the_frame(text: str):
    assert framed_text([("user", framed(text))]) == text


def test_the_users_last_words():
    assert last_question([("user", "a"), ("user", "b"), ("assistant", "c")]) == "b"


def test_text_parts_are_joined():
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert contents([{"role": "user", "content": parts}]) == [("user", "a\nb")]


@pytest.mark.parametrize(
    "messages",
    [
        None,
        [],
        "x",
        [1],
        [{"content": "x"}],
        [{"role": "user", "content": 1}],
        [{"role": "user", "content": [{"type": "image_url"}]}],
    ],
)
def test_messages_that_are_none_are_refused(messages: object):
    with pytest.raises(RequestError, match="messages"):
        contents(messages)


def test_tokens_are_runs_of_letters():
    assert count_tokens("硅的禁带宽度为1.12 eV, at 300 K.") == 6
