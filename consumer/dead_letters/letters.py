"""Dead letters as they are on the topic, whether they were replayed, and the filter of a command."""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from configs.errors import SettingsError
from configs.sections import KafkaSettings
from messaging.connection import PATIENCE_S
from messaging.messages import ignore, read_messages
from schemas import DeadLetter, ReplayMarker, TopicNames
from schemas.error_classes import current_name

DURATION = re.compile(r"(\d+)([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class FiledLetter:
    """A dead letter with its key on the topic, which its replay marker gets too."""

    key: bytes | None
    letter: DeadLetter
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFilter:
    """`reason` is a glob for error classes, `document` one for paths. None takes all letters."""

    reason: str | None = None
    since: datetime | None = None
    document: str | None = None

    def takes(self, letter: DeadLetter) -> bool:
        path = letter.document.path if letter.document else ""
        return (
            (self.reason is None or fnmatchcase(letter.error_class, str(current_name(self.reason))))
            and (self.since is None or letter.created_at >= self.since)
            and (self.document is None or fnmatchcase(path, self.document))
        )


def parse_since(text: str, now: datetime) -> datetime:
    """Parse a time in ISO 8601 (UTC unless it says otherwise), or an age: 90s, 15m, 2h, 3d. Raises SettingsError."""
    if match := DURATION.fullmatch(text):
        return now - timedelta(**{UNITS[match[2]]: int(match[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"--since {text}: takes a time such as 2026-11-22T14:00, or 90s, 15m, 2h, 3d") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def read_letters(
    kafka: KafkaSettings, wanted: LetterFilter, *, every_marker: bool = False
) -> AsyncGenerator[FiledLetter, None]:
    """Yield the wanted letters, in the order of each partition. Use within `contextlib.aclosing`.

    The topic is read twice, because replay markers come after their letters. A worker's open transaction hides the
    markers behind it; `every_marker` waits for its end. Raises TopicMissingError and BrokerUnreachableError.
    """
    topic = TopicNames(kafka.namespace).dead_letters
    markers = read_messages(
        kafka, topic, ReplayMarker, undecodable=ignore, patience_s=PATIENCE_S, through_pending=every_marker
    )
    async with aclosing(markers):
        replayed = {marker.letter_id async for _, marker in markers}
    reading = read_messages(kafka, topic, DeadLetter, undecodable=ignore, patience_s=PATIENCE_S)
    async with aclosing(reading) as letters:
        async for record, letter in letters:
            if wanted.takes(letter):
                yield FiledLetter(record.key, letter, letter.letter_id in replayed)
