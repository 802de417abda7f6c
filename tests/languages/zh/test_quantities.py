import pytest

from languages.zh.quantities import chinese_number


@pytest.mark.parametrize(
    ("word", "value"), [("三千五百", 3500), ("二十", 20), ("两万", 20000), ("十八", 18), ("二〇二一", 2021)]
)
def test_chinese_numerals(word, value):
    assert chinese_number(word) == value
