"""The results on disk, according to the sinks of an output directory."""

from pathlib import Path

from ledger.outcome import ResultPosition
from output.errors import OutputError, OutputMismatchError
from output.layout import Layout
from output.manifest import check_owner, read_manifest
from output.sink_state import next_offsets_on_disk


class OnDisk:
    """Asks the sinks at each `look`, and answers from that until the next one."""

    def __init__(self, output_dir: Path, *, cluster_id: str, namespace: str) -> None:
        self._layout = Layout(output_dir)
        self._cluster_id = cluster_id
        self._namespace = namespace
        self._next: dict[int, int] = {}

    def look(self) -> None:
        """Read how far the sinks are. Without a readable manifest, nothing counts as on disk.

        Raises OutputMismatchError where the results are of another cluster or namespace.
        """
        self._next = next_offsets_on_disk(self._layout) if self._is_ours() else {}

    def has(self, position: ResultPosition | None) -> bool:
        """Tells whether the result at this position is on disk. A document without chunks has none."""
        return position is None or position.offset < self._next.get(position.partition, 0)

    def _is_ours(self) -> bool:
        path = self._layout.manifest
        try:
            manifest = read_manifest(path)
            if manifest is not None:
                check_owner(path, manifest, cluster_id=self._cluster_id, namespace=self._namespace)
        except OutputMismatchError:
            raise
        except OutputError:
            return False
        return manifest is not None
