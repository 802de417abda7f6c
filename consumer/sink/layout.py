"""Where things are in an output directory."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """`results/` is the truth; all else here is derived from it and from the ledger."""

    root: Path

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
    def temp(self) -> Path:
        """For files that are moved into place when they are whole; on the same file system."""
        return self.home / "tmp"

    @property
    def lock(self) -> Path:
        return self.home / "sink.lock"

    @property
    def manifest(self) -> Path:
        return self.home / "manifest.json"

    @property
    def index(self) -> Path:
        return self.home / "index.sqlite"

    @property
    def status(self) -> Path:
        return self.home / "sink.json"

    def make(self) -> None:
        for folder in (self.results, self.documents, self.temp):
            folder.mkdir(parents=True, exist_ok=True)
