import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.embedded.errors import RequestError
from server.embedded.prompt import Prompt, contents, count_tokens, prompt_of


def framed(text: str) -> str:
    return f"<headings>\nA > B\n</headings>\n<text>\n{text}\n</text>\n\nAsk about it."


def test_the_text_stands_in_its_frame():
    assert prompt_of([("system", "x"), ("user", framed("硅。"))]).text == "硅。"


def test_the_last_message_with_a_text_wins():
    assert prompt_of([("user", framed("a")), ("user", framed("b")), ("user", "and?")]).text == "b"


@pytest.mark.parametrize(
    "content", ["什么是半导体？", "<text> on one line </text>", "<text>\nno end", "</text>\n<text>"]
)
def test_without_a_frame_the_message_is_text_and_task(content: str):
    assert prompt_of([("user", content)]) == Prompt(content, content, framed=False)


@pytest.mark.parametrize("content", ["<text>\n</text>", "<text>\n\n</text>", "<text> \r\n\r\n</text> \nAsk."])
def test_a_frame_may_be_empty(content: str):
    assert prompt_of([("user", content)]).text == ""
    assert prompt_of([("user", content)]).framed


@given(st.lists(st.sampled_from(["硅。", "<text>", "</text>", "</headings>", "", "a"])).map("\n".join))
def test_nothing_in_the_text_breaks_the_frame(text: str):
    assert prompt_of([("user", framed(text))]).text == text


def test_the_users_last_words():
    assert prompt_of([("user", "a"), ("user", "b"), ("assistant", "c")]).task == "b"


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
