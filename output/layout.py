"""Where things are in an output directory."""

from dataclasses import dataclass
from pathlib import Path

from configs.errors import SettingsError
from output.share import ALL, Share

OWN = "partitions-"


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of an output directory. `results/` is the truth; everything else is derived from it and the ledger.

    `share` has the partitions of one sink. A sink of all partitions keeps its files in `home`, other sinks below it.
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
    def exports(self) -> Path:
        return self.root / "exports"

    @property
    def home(self) -> Path:
        """The directory of all files that are not results."""
        return self.root / ".qastream"

    @property
    def broker(self) -> Path:
        """The address of the broker that a running pipeline has started; there as long as that broker runs."""
        return self.home / "broker.json"

    @property
    def pipeline_lock(self) -> Path:
        return (self.home / "pipeline").with_suffix(".lock")

    @property
    def sink_lock(self) -> Path:
        return self.home / "sink.lock"

    def partition_lock(self, partition: int) -> Path:
        return self.home / "locks" / f"{partition}.lock"

    @property
    def manifest(self) -> Path:
        return self.home / "manifest.json"

    @property
    def own(self) -> Path:
        """The directory that only the sink of this share writes to."""
        return self.home if self.share.numbers is None else self.home / f"{OWN}{self.share}"

    @property
    def temp(self) -> Path:
        """The directory of files that are moved into place when they are whole; on the same file system."""
        return self.own / "tmp"

    @property
    def index(self) -> Path:
        return self.own / "index.sqlite"

    @property
    def sink_state(self) -> Path:
        return self.own / "sink.json"

    def make(self) -> None:
        """Make the directories that a sink writes to."""
        for folder in (self.results, self.documents, self.temp):
            folder.mkdir(parents=True, exist_ok=True)

    def sinks(self) -> list["Layout"]:
        """The layouts of all sinks that have written here, running or not. No two have a partition in common."""
        found = [Layout(self.root, share) for share in (ALL, *_shares(self.home))]
        return [layout for layout in found if layout.index.exists() or layout.sink_state.exists()]


def layout_of(output_dir: Path | None, share: Share = ALL) -> Layout:
    """The layout of the output directory of the settings. Raises SettingsError where none is set."""
    if output_dir is None:
        raise SettingsError("--output-dir (QASTREAM_OUTPUT_DIR) is missing: the directory that results go to")
    return Layout(output_dir, share)


def _shares(home: Path) -> list[Share]:
    found = []
    for path in sorted(home.glob(f"{OWN}*")):
        try:
            found.append(Share.parse(path.name.removeprefix(OWN)))
        except ValueError:  # not a directory of ours
            continue
    return found
