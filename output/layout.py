"""Where things are in an output directory."""

from dataclasses import dataclass
from pathlib import Path

from output.share import ALL, Share

OWN = "partitions-"


@dataclass(frozen=True, slots=True)
class Layout:
    """`results/` is the truth; all else here is derived from it and from the ledger.

    `share` is that of the sink that looks: one of all partitions keeps its account in `home`, others below it.
    """

    root: Path
    share: Share = ALL

    @property
    def results(self) -> Path:
        return self.root / "results"

    @property
    def documents(self) -> Path:
        return self.root / "documents"

    @property
    def parquet(self) -> Path:
        return self.root / "parquet"

    @property
    def exports(self) -> Path:
        return self.root / "exports"

    @property
    def home(self) -> Path:
        return self.root / ".qastream"

    @property
    def lock(self) -> Path:
        return self.home / "sink.lock"

    def partition_lock(self, partition: int) -> Path:
        return self.home / "locks" / f"{partition}.lock"

    @property
    def manifest(self) -> Path:
        return self.home / "manifest.json"

    @property
    def own(self) -> Path:
        """What only this sink writes is here."""
        return self.home if self.share.numbers is None else self.home / f"{OWN}{self.share}"

    @property
    def temp(self) -> Path:
        """For files that are moved into place when they are whole; on the same file system."""
        return self.own / "tmp"

    @property
    def index(self) -> Path:
        return self.own / "index.sqlite"

    @property
    def status(self) -> Path:
        return self.own / "sink.json"

    def make(self) -> None:
        for folder in (self.results, self.documents, self.temp):
            folder.mkdir(parents=True, exist_ok=True)

    def sinks(self) -> list["Layout"]:
        """Of each sink that keeps an account here, whether it runs or not. No two have a partition in common."""
        found = [Layout(self.root, share) for share in (ALL, *_shares(self.home))]
        return [layout for layout in found if layout.index.exists() or layout.status.exists()]


def _shares(home: Path) -> list[Share]:
    found = []
    for path in sorted(home.glob(f"{OWN}*")):
        try:
            found.append(Share.parse(path.name.removeprefix(OWN)))
        except ValueError:  # nothing of ours
            continue
    return found
