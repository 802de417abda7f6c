import os

from hypothesis import given
from hypothesis import strategies as st

from producer.paths import escape
from schemas.paths import unescape


@given(st.binary(min_size=1, max_size=60))
def test_a_path_in_a_message_leads_back_to_the_file(name):
    path = os.fsdecode(name)
    assert unescape(escape(path)) == path
