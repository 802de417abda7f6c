"""The contract as others get it: a wheel, alone in a fresh environment, and a record from a real broker."""

import subprocess
from contextlib import aclosing
from pathlib import Path

from messaging.reading import read_to_end
from schemas import TopicNames
from tests.support.chunks import make_chunk, publish

ROOT = Path(__file__).resolve().parents[2]
UV = ROOT / ".tools" / "bin" / "uv"
READ = """
import sys
from qastream_schemas import Chunk, DecodeError, decode
print(decode(Chunk, sys.stdin.buffer.read()).text)
try: decode(Chunk, b"{}")
except DecodeError as exc: print(exc)
"""


def run(*command: object, given: bytes = b"", cwd: Path = ROOT) -> str:
    done = subprocess.run(list(map(str, command)), cwd=cwd, input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


async def test_the_wheel_reads_a_record_where_nothing_else_is_installed(make_settings, tmp_path):
    settings = make_settings()
    await publish(settings, [make_chunk("A transistor has three terminals.")])
    async with aclosing(read_to_end(settings.kafka, TopicNames(settings.kafka.namespace).chunks)) as records:
        (value,) = [record.value async for record in records]
    run(UV, "build", "--quiet", "--wheel", "--out-dir", tmp_path, "schemas")
    (wheel,) = tmp_path.glob("qastream_schemas-*.whl")
    python = tmp_path / "venv" / "bin" / "python"
    run(UV, "venv", "--quiet", tmp_path / "venv")
    run(UV, "pip", "install", "--quiet", "--python", python, wheel)
    said = run(python, "-c", READ, given=value, cwd=tmp_path)
    assert said.splitlines()[0] == "A transistor has three terminals."
    assert said.splitlines()[1].startswith("not a Chunk: chunk_id: Field required")
    listed = run(python, "-c", "import qastream_schemas, pathlib; p = pathlib.Path(qastream_schemas.__file__).parent; "
                 "print(*sorted(f.name for f in p.rglob('*.json')))", cwd=tmp_path)  # fmt: skip
    assert listed.split() == sorted(path.name for path in (ROOT / "schemas" / "json").glob("*.json"))
