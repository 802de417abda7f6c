import pytest

from languages.en.quantities import english_number


@pytest.mark.parametrize(
    ("word", "value"), [("fifty thousand", 50000), ("twenty-one", 21), ("two hundred and five", 205)]
)
def test_english_numerals(word, value):
    assert english_number(word) == value
