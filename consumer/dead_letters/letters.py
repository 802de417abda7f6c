"""Dead letters: which there are, which were replayed, which are asked for."""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from configs.errors import SettingsError
from configs.sections import KafkaSettings
from messaging.messages import ignore, read_messages
from schemas import DeadLetter, ReplayMarker, TopicNames
from schemas.error_classes import current_name

DURATION = re.compile(r"(\d+)([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Filed:
    """A letter as it lies on the topic: its marker gets the same key."""

    key: bytes | None
    letter: DeadLetter
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Filters; None takes all. `reason` is an error class, `document` a path, both globs."""

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
    """A time in ISO 8601 (UTC where it does not say), or how long ago: 90s, 15m, 2h, 3d. Raises SettingsError."""
    if match := DURATION.fullmatch(text):
        return now - timedelta(**{UNITS[match[2]]: int(match[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"--since {text}: takes a time such as 2026-11-22T14:00, or 90s, 15m, 2h, 3d") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def read_letters(
    kafka: KafkaSettings, wanted: Wanted, *, every_marker: bool = False
) -> AsyncGenerator[Filed, None]:
    """Letters that are wanted, in the order of each partition. Reads the topic twice: markers stand behind letters.

    Any worker's open transaction hides the markers behind it; with `every_marker` its end is waited for.
    Use within `contextlib.aclosing`. Raises TopicMissingError and BrokerUnreachableError.
    """
    topic = TopicNames(kafka.namespace).dead_letters
    replayed = await _replayed(kafka, topic, every=every_marker)
    reading = read_messages(kafka, topic, DeadLetter, undecodable=ignore, patience_s=PATIENCE_S)
    async with aclosing(reading) as letters:
        async for record, letter in letters:
            if wanted.takes(letter):
                yield Filed(record.key, letter, letter.letter_id in replayed)


async def _replayed(kafka: KafkaSettings, topic: str, *, every: bool) -> set[str]:
    """Ids of letters that have a marker."""
    reading = read_messages(
        kafka, topic, ReplayMarker, undecodable=ignore, patience_s=PATIENCE_S, through_pending=every
    )
    async with aclosing(reading) as markers:
        return {marker.letter_id async for _, marker in markers}
