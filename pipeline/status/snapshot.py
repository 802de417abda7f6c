"""The state of a pipeline at one moment, as `status` shows it: as values and as JSON."""

from dataclasses import asdict, dataclass
from typing import Any

from ledger.account import ProgressTotals
from pipeline.status.endpoints import Scraped
from pipeline.status.members import Members
from pipeline.status.rates import Rates


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state at one moment. `quick`: only some results were read, so counts over all of them are not known."""

    totals: ProgressTotals
    dead_letters: int
    rates: Rates
    members: Members | None
    scraped: Scraped
    quick: bool = False

    @property
    def unfinished(self) -> int:
        """Chunks of the newest versions without an outcome; if quick, unfinished chunks of all versions."""
        if self.quick and self.members:
            return sum(backlog.unfinished for backlog in self.members.backlogs)
        return max(0, self.totals.chunks - self.totals.answered)

    @property
    def left_s(self) -> float | None:
        return self.rates.seconds_for(self.unfinished)

    def counts(self) -> dict[str, Any]:
        """Returns the counts by name, without those that are not known."""
        totals = self.totals
        known = {
            "files": totals.files, "files done": totals.files_done, "files rejected": totals.rejected,
            "chunks": totals.chunks, "answered": totals.answered, "backlog": self.unfinished,
            "failed": totals.failed, "pairs": totals.pairs, "dead letters": self.dead_letters,
        }  # fmt: skip
        unknown = ("files done", "answered", "failed", "pairs") if self.quick else ()
        return {name: value for name, value in known.items() if name not in unknown}

    def as_json(self) -> dict[str, Any]:
        """Returns the snapshot for scripts: names stay, and more may come."""
        return {
            "counts": {name.replace(" ", "_"): value for name, value in self.counts().items()},
            "rates_per_s": asdict(self.rates),
            "left_s": self.left_s,
            "group_state": self.members.state if self.members else None,
            "workers": [asdict(worker) for worker in self.members.workers] if self.members else None,
            "partitions": [asdict(backlog) for backlog in self.members.backlogs] if self.members else None,
            "endpoints": [asdict(endpoint) for endpoint in self.scraped.endpoints],
            "silent": list(self.scraped.silent),
        }
