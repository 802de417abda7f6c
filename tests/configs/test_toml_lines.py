import pytest

from configs.toml_lines import line_of

TEXT = """name = "x"

[plan]
most = 3   # [judge]
a.b = 1
[ judge ]
most = 4
"quoted key" = 5
[[examples]]
type = "a"
[[examples]]
type = "b"
[terms.zh]
"词" = "义"
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("name",), 1),
        (("plan", "most"), 4),
        (("plan", "a", "b"), 5),
        (("judge", "most"), 7),
        (("judge", "quoted key"), 8),
        (("judge", "missing"), 6),
        (("examples", 1, "type"), 12),
        (("terms", "zh", "词", "[key]"), 14),
        (("other",), None),
        ((), None),
    ],
)
def test_the_line_of_a_setting_or_of_the_table_around_it(place: tuple[str | int, ...], line: int | None):
    assert line_of(TEXT, place) == line
