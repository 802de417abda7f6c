"""What the sink has on disk, by its own account in the output directory.

The sink writes `.qastream/sink.json`: for each partition of qa.results the offset before which all is on disk. Sinks
that share the partitions write one each, in `.qastream/partitions-*/`. Whose results they are stands in
`.qastream/manifest.json`.
"""

from pathlib import Path

import orjson

from ledger.outcomes import Place
from producer.errors import OutputError


class OnDisk:
    """Asks anew at each `look`."""

    def __init__(self, output_dir: Path, *, cluster_id: str, namespace: str) -> None:
        self._home = output_dir / ".qastream"
        self._owner = {"cluster_id": cluster_id, "namespace": namespace}
        self._next: dict[str, int] = {}

    def look(self) -> None:
        """Raises OutputError for results of others. Where no sink has written yet, nothing is on disk."""
        manifest = _read(self._home / "manifest.json")
        for name, ours in self._owner.items():
            if manifest and manifest.get(name) != ours:
                raise OutputError(
                    f"--output-dir {self._home.parent} holds the results of {name} {manifest.get(name)}, "
                    f"not of {ours}: no file may be moved or deleted on its word"
                )
        self._next = {}
        for path in (self._home / "sink.json", *self._home.glob("partitions-*/sink.json")) if manifest else ():
            self._take(_read(path).get("next_offsets"))

    def _take(self, offsets: object) -> None:
        """The furthest is true of each partition: what is on disk stays there."""
        for partition, offset in offsets.items() if isinstance(offsets, dict) else ():
            if isinstance(offset, int):
                self._next[partition] = max(offset, self._next.get(partition, 0))

    def has(self, place: Place | None) -> bool:
        if place is None:
            return True
        following = self._next.get(str(place.partition))
        return following is not None and place.offset < following


def _read(path: Path) -> dict[str, object]:
    """Empty where there is no such file, or none that can be read: then nothing is known to be on disk."""
    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
