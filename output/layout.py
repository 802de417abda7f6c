"""Knows the paths of everything in an output directory."""

from pathlib import Path

from configs.errors import SettingsError
from output.share import ALL, Share

OWN = "partitions-"


class Layout:
    """Has the paths of an output directory. `results/` is the truth; everything else is derived from it and the ledger.

    `share` has the partitions of one sink. A sink of all partitions keeps its files in `home`, other sinks below it.
    """

    def __init__(self, root: Path, share: Share = ALL) -> None:
        self.root, self.share = root, share
        self.results, self.documents, self.exports = root / "results", root / "documents", root / "exports"
        self.home = root / ".qastream"
        """The directory of everything that is neither result nor document."""
        self.manifest, self.sink_lock = self.home / "manifest.json", self.home / "sink.lock"
        self.pipeline_lock = (self.home / "pipeline").with_suffix(".lock")
        self.broker = self.home / "broker.json"
        """The address of the broker that a running pipeline has started; there as long as that broker runs."""
        self.own = self.home if share.numbers is None else self.home / f"{OWN}{share}"
        """The directory that only the sink of this share writes to."""
        self.index, self.sink_state = self.own / "index.sqlite", self.own / "sink.json"
        self.temp = self.own / "tmp"
        """The directory of unfinished files, on the same file system as their later places."""

    def partition_lock(self, partition: int) -> Path:
        return self.home / "locks" / f"{partition}.lock"

    def make(self) -> None:
        """Makes the directories that a sink writes to."""
        for folder in (self.results, self.documents, self.temp):
            folder.mkdir(parents=True, exist_ok=True)

    def sinks(self) -> list["Layout"]:
        """Returns the layouts of all sinks that have written here. No two have a partition in common."""
        found = [Layout(self.root, share) for share in (ALL, *_shares(self.home))]
        return [layout for layout in found if layout.index.exists() or layout.sink_state.exists()]


def layout_of(output_dir: Path | None, share: Share = ALL) -> Layout:
    """Returns the layout of the output directory in the settings. Raises SettingsError where none is set."""
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
