from hypothesis import given
from hypothesis import strategies as st

from output.segments.lines import from_line, to_line


@given(st.none() | st.binary())
def test_any_value_is_a_line_and_comes_back(value):
    line = to_line(value)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert from_line(line) == from_line(line[:-1]) == value


@given(st.none() | st.binary())
def test_a_value_that_looks_like_a_wrapped_one_comes_back(value):
    wrapped = to_line(value)[:-1]
    assert from_line(to_line(wrapped)) == wrapped


def test_json_stands_in_the_file_as_it_is():
    assert to_line(b'{"a":1}') == b'{"a":1}\n'
