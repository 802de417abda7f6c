"""A source that has no directory behind it: the rest of the producer needs no more than the contract."""

from io import BytesIO
from pathlib import Path

from producer.errors import ChangedError
from producer.files.source import Found, Listing
from schemas import FileState
from tests.producer.publishing.test_batches import Bench


class Bucket:
    """Objects by their key."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = objects

    def scan(self) -> Listing:
        return Listing([Found(f"{key}.txt", key, len(data), 1) for key, data in sorted(self.objects.items())])

    def open(self, found: Found) -> BytesIO:
        if found.place not in self.objects:
            raise ChangedError("gone")
        return BytesIO(self.objects[found.place])

    def check_unchanged(self, file: BytesIO, found: Found) -> None:
        if self.objects.get(found.place) != file.getvalue():
            raise ChangedError("another object has its key")

    def remove(self, found: Found) -> None:
        del self.objects[found.place]

    def move(self, found: Found, target: Path) -> None:
        target.write_bytes(self.objects.pop(found.place))

    def gone(self, path: str) -> bool:
        return path.removesuffix(".txt") not in self.objects

    def holds(self, directory: Path) -> bool:
        return False

    async def watch(self, ring, *, retry_s: float) -> None:
        """It has no events."""


def test_objects_of_a_bucket_are_published_and_rejected_like_files(tmp_path: Path) -> None:
    bench = Bench(tmp_path, files=Bucket(good=b"An object of text.", bad=b"\0binary"))
    bench.run()
    assert [chunk.text for chunk in bench.chunks] == ["An object of text."]
    assert [bench.entry(path).state for path in ("good.txt", "bad.txt")] == [FileState.COMPLETE, FileState.REJECTED]
    assert bench.found() == []
