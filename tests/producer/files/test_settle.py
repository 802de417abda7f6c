from dataclasses import replace

from producer.files.settle import NS, Settling
from producer.files.source import Found

FILE = Found("a.txt", "a.txt", 10, 100 * NS)


def test_a_file_is_taken_when_it_stood_still_between_looks() -> None:
    settling = Settling(500, trust_mtime=False)
    assert settling.look([FILE], clock_ns=0, wall_ns=900 * NS).due_s == 0.5
    assert settling.look([FILE], clock_ns=NS // 4, wall_ns=900 * NS).due_s == 0.25
    assert settling.look([FILE], clock_ns=NS // 2, wall_ns=900 * NS).settled == (FILE,)


def test_growing_starts_the_wait_anew() -> None:
    settling = Settling(500, trust_mtime=False)
    settling.look([FILE], clock_ns=0, wall_ns=0)
    grown = replace(FILE, size_bytes=11)
    look = settling.look([grown], clock_ns=NS, wall_ns=0)
    assert (look.settled, look.waiting, look.due_s) == ((), (grown,), 0.5)


def test_once_trusts_the_time_of_last_writing_but_not_one_in_the_future() -> None:
    settling = Settling(500, trust_mtime=True)
    young, ahead = replace(FILE, path="young", mtime_ns=200 * NS), replace(FILE, path="ahead", mtime_ns=999 * NS)
    look = settling.look([FILE, young, ahead], clock_ns=0, wall_ns=200 * NS + NS // 10)
    assert look.settled == (FILE,)
    assert look.waiting == (young, ahead)
    assert look.due_s == 0.4
    assert settling.look([ahead], clock_ns=NS // 2, wall_ns=201 * NS).settled == (ahead,)


def test_no_wait_takes_all_at_once() -> None:
    assert Settling(0, trust_mtime=False).look([FILE], clock_ns=0, wall_ns=0).settled == (FILE,)


def test_a_file_that_went_is_forgotten() -> None:
    settling = Settling(500, trust_mtime=False)
    settling.look([FILE], clock_ns=0, wall_ns=0)
    settling.look([], clock_ns=NS, wall_ns=0)
    assert settling.look([FILE], clock_ns=2 * NS, wall_ns=0).waiting == (FILE,)
