"""One pass over a file, which hashes, decodes and splits its bytes as they come."""

import hashlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from producer.errors import ChangedError, ReadingStoppedError
from producer.files.source import Found, Source
from producer.text.decode import Decoder
from producer.text.marks import ChunkMarks
from producer.text.splitting import Sizes, Split, split

BLOCK_BYTES = 256 * 1024


class Reading:
    """An open file of a source while it is read. `size_bytes` and `characters` count the part that was read."""

    def __init__(
        self, files: Source, file: BinaryIO, found: Found, *, encoding: str | None, stopping: Callable[[], bool]
    ) -> None:
        self._files = files
        self._file = file
        self._found = found
        self._stopping = stopping
        self._decoder = Decoder(encoding)
        self._hash = hashlib.sha256()
        self.size_bytes = 0
        self.characters = 0
        self.marks = ChunkMarks()

    @property
    def sha256(self) -> str:
        """The hash of the bytes that were read so far."""
        return self._hash.hexdigest()

    @property
    def encoding(self) -> str:
        return self._decoder.encoding

    def splits(self, sizes: Sizes, before: ChunkMarks) -> Iterator[Split]:
        """The chunks of the file. After the last one, `marks` describes all of them.

        The iterator raises ChangedError, RejectedError, ReadingStoppedError or OSError as soon as the cause shows.
        """
        return split(self._texts(), sizes, before=before, marks=self.marks)

    def _texts(self) -> Iterator[str]:
        for block in self._blocks():
            yield self._counted(self._decoder.feed(block))
        self.check()
        yield self._counted(self._decoder.feed(b"", final=True))

    def _counted(self, text: str) -> str:
        self.characters += len(text)
        return text

    def _blocks(self) -> Iterator[bytes]:
        while block := self._file.read(BLOCK_BYTES):
            if self._stopping():
                raise ReadingStoppedError
            self.size_bytes += len(block)
            if self.size_bytes > self._found.size_bytes:
                raise ChangedError("it grew while it was read")
            self._hash.update(block)
            yield block

    def finish(self) -> str:
        """Read the rest of the file without splitting it, and give the hash of the whole file."""
        for _ in self._blocks():
            pass
        self.check()
        return self.sha256

    def check(self) -> None:
        """Raise ChangedError unless the file is as the scan saw it and was read to its end."""
        self._files.check_unchanged(self._file, self._found)
        if self.size_bytes != self._found.size_bytes:
            raise ChangedError("it was cut while it was read")
