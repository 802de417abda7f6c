import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import SettingsError
from configs.ranges import parse_partitions, show_partitions
from configs.settings import load_settings
from consumer.sink.recovery import remove_superseded, remove_temporary
from output.layout import Layout
from output.segments.naming import temp_name
from output.share import ALL, Share


@given(st.frozensets(st.integers(0, 99_999), min_size=1, max_size=12))
def test_what_is_shown_is_what_is_parsed(numbers):
    assert parse_partitions(show_partitions(numbers)) == numbers


@pytest.mark.parametrize(
    ("text", "shown"),
    [("0-5,7", "0-5,7"), (" 7, 0-2,3 ,2", "0-3,7"), ("4", "4"), ("4-4,5", "4-5"), ("all", "all"), ("0-999", "0-999")],
)
def test_partitions_are_written_the_shortest_way(text, shown):
    assert load_settings({"only_partitions": text}, environ={}).sink.only_partitions == shown


@pytest.mark.parametrize(
    "text", ["", "5-3", "-1", "1-", "a", "1,,2", "0x1", "1.5", "٣", ",".join(map(str, range(0, 200, 2)))]
)
def test_what_is_no_partitions_is_refused_with_what_it_takes(text):
    with pytest.raises(SettingsError, match=r"--only-partitions \(QASTREAM_ONLY_PARTITIONS\).*(0-5,7|0-499)"):
        load_settings({"only_partitions": text or ","}, environ={})


def test_a_partition_that_is_not_there_is_refused_with_what_it_takes():
    Share.parse("0-11").check("qa.results", 12)
    with pytest.raises(
        SettingsError, match=r"--only-partitions 3,12: qa.results has 12 partitions.*0 to 11, such as 0-5"
    ):
        Share.parse("3,12").check("qa.results", 12)


@given(st.text(max_size=40), st.integers(1, 50), st.data())
def test_each_document_is_in_one_of_the_shares_that_make_up_all(document, count, data):
    first = data.draw(st.frozensets(st.integers(0, count - 1)))
    shares = [Share(numbers) for numbers in (first, frozenset(range(count)) - first) if numbers]
    assert sum(share.documents(count)(document) for share in shares) == 1
    assert ALL.documents(count)(document)


def test_shares_overlap_and_add_up():
    some, others = Share.parse("0-2"), Share.parse("3,5")
    assert not some.overlaps(others)
    assert some.overlaps(Share.parse("2-3"))
    assert some.overlaps(ALL)
    assert Share.union([some, others]) == Share.parse("0-3,5")
    assert Share.union([some, ALL]) == Share.union([]) == ALL


def test_one_takes_away_what_is_left_of_its_own_partitions_and_nothing_else(tmp_path):
    layout = Layout(tmp_path, Share.parse("1,3"))
    layout.make()
    names = [temp_name("qa.results", number, merged=merged) for number in (1, 2, 3, 13) for merged in (False, True)]
    for name in (*names, ".unknown.tmp"):
        (layout.results / name).touch()
    (layout.temp / "document").touch()
    remove_temporary(layout)
    assert {path.name for path in layout.results.iterdir()} == {".unknown.tmp", *names[2:4], *names[6:]}
    assert not list(layout.temp.iterdir())


def test_the_account_of_an_earlier_sink_of_the_same_partitions_ends(tmp_path):
    before = {share: Layout(tmp_path, Share.parse(share)) for share in ("all", "0-1", "2-3", "4")}
    for layout in before.values():
        layout.make()
        layout.index.touch()
        layout.sink_state.touch()
    (tmp_path / ".qastream" / "partitions-of-others").mkdir()

    def known() -> list[str]:
        return [str(sink.share) for sink in Layout(tmp_path).sinks()]

    assert known() == list(before)
    remove_superseded(Layout(tmp_path, Share.parse("1-2")))
    assert known() == ["4"]
    remove_superseded(before["4"])
    assert known() == ["4"]
    remove_superseded(Layout(tmp_path))
    assert not Layout(tmp_path).sinks()
