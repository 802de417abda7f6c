"""The rates of outcomes over the last minute, by the times of their records. Pure."""

from dataclasses import dataclass

WINDOW_S = 60.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Outcomes, pairs and generated tokens in a second; tokens of cached completions do not count."""

    chunks: float = 0.0
    pairs: float = 0.0
    completion_tokens: float = 0.0

    def seconds_for(self, chunks: int) -> float | None:
        """Returns the seconds until `chunks` more chunks have an outcome; None while no outcomes come."""
        return chunks / self.chunks if self.chunks else None


class Window:
    """The outcomes of the last minute. They may come in any order, since partitions are read side by side."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, int, int]] = []
        """Time, pairs and generated tokens of each outcome."""

    def add(self, time_s: float, *, pairs: int, tokens: int, now_s: float) -> None:
        if time_s > now_s - WINDOW_S:
            self._seen.append((time_s, pairs, tokens))

    def rates(self, now_s: float) -> Rates:
        """Returns the rates now. A run that began within the last minute is measured from its first outcome."""
        self._seen = [seen for seen in self._seen if seen[0] > now_s - WINDOW_S]
        if not self._seen:
            return Rates()
        times_s, pairs, tokens = zip(*self._seen, strict=True)
        over_s = min(WINDOW_S, max(1.0, now_s - min(times_s)))
        return Rates(len(times_s) / over_s, sum(pairs) / over_s, sum(tokens) / over_s)
