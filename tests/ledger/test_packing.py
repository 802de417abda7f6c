import tracemalloc
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ledger.packing import pack, unpack
from tests.producer.publishing.test_batches import Bench

FILES = 1000


@given(st.binary(max_size=5000))
def test_what_is_packed_comes_back(value: bytes) -> None:
    assert unpack(pack(value)) == value


def test_a_published_file_takes_half_a_kilobyte_of_memory(tmp_path: Path) -> None:
    """Its entry is 700 bytes, in a buffer of the encoder of 8 kB."""
    for number in range(FILES):
        (tmp_path / f"text-{number}.txt").write_text(f"Text number {number}.")
    bench = Bench(tmp_path)
    files = bench.found()
    tracemalloc.start()
    for batch in bench.batches(max_chunks=100, files=files):
        for entry, value in batch.entries.values():
            bench.ledger.put(entry, value)
    del batch, entry, value
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept / FILES < 600
