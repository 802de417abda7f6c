from pipeline.status.letters import Letter, Letters
from schemas import DeadLetter, Original, ReplayMarker, decode, encode
from schemas.ids import digest
from schemas.messages import now


def letter(name: str) -> Letter:
    dead = DeadLetter(
        letter_id=digest(name),
        kind="chunk",
        reason="refused",
        error_class="refused",
        original=Original(base64="", size_bytes=0),
        created_at=now(),
    )
    return decode(Letter, encode(dead))


def replayed(name: str) -> Letter:
    return decode(Letter, encode(ReplayMarker(letter_id=digest(name), attempt=1, created_at=now())))


def counted(*letters: Letter) -> int:
    board = Letters()
    for one in letters:
        board.take(one)
    return len(board)


def test_letters_wait_until_they_are_replayed():
    assert counted(letter("a"), letter("b")) == 2
    assert counted(letter("a"), letter("b"), replayed("a")) == 1


def test_a_letter_that_failed_again_waits_again():
    assert counted(letter("a"), replayed("a"), letter("a")) == 1
