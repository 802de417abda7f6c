"""Downloads Apache Kafka's jars from Maven Central and checks them against the sums in `kafka-jars.sha256`.

The sums file has the format of `sha256sum -c`. Each path is the artifact's place in a Maven repository, so it gives its
coordinates too. To move to another version, change KAFKA_VERSION and PINNED below, write the file again, and mend the
tests that fail (the image in compose.yaml, the sum of Kafka's tools):

    python -m server.broker.jars --update

This resolves the pinned modules with their dependencies (jgo's PythonResolver; it needs no Maven and no Java).
Installing resolves nothing: it downloads exactly the files in the list.
"""

import argparse
import fcntl
import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from configs.cli import run
from configs.user_cache import user_cache
from server.errors import ServerError

KAFKA_VERSION = "4.2.2"
SUMS = Path(__file__).with_name("kafka-jars.sha256")

# All modules of Kafka are named, because jgo would choose an old kafka-clients by itself. kafka-tools is left out: it
# brings Connect with Jetty and Jersey, 40 more jars of which a broker loads no class.
_MODULES = (
    "kafka_2.13", "kafka-clients", "kafka-server", "kafka-server-common", "kafka-metadata", "kafka-raft",
    "kafka-storage", "kafka-storage-api", "kafka-group-coordinator", "kafka-group-coordinator-api",
    "kafka-transaction-coordinator", "kafka-share-coordinator", "kafka-coordinator-common", "kafka-tools-api",
)  # fmt: skip
PINNED = (
    *(f"org.apache.kafka:{module}:{KAFKA_VERSION}" for module in _MODULES),
    # Connects Kafka's log calls with its log4j. "!" keeps jgo from taking versions of other modules from it.
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5!",
)

_PARALLEL = 8  # downloads at once
_ATTEMPTS = 4  # of each download


@dataclass(frozen=True, slots=True)
class Jar:
    """One artifact by its path in a Maven repository, group/as/folders/artifact/version/artifact-version.jar."""

    path: str
    sha256: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def coordinates(self) -> tuple[str, str, str]:
        """Group, artifact and version."""
        *group, artifact, version, _ = self.path.split("/")
        return ".".join(group), artifact, version


def kafka_jars(*, note: Callable[[str], None] = print) -> list[Path]:
    """Local paths of Kafka's jars, which are downloaded if they are not in the user's cache. Raises ServerError.

    Several processes may call this at the same time, and one may be killed: a file is moved to its place only after
    its sum was checked.
    """
    return install(read_sums(SUMS), cache_dir(), note=note)


def cache_dir() -> Path:
    """The cache of the user, shared by all checkouts (XDG base directory specification)."""
    return user_cache() / f"kafka-{KAFKA_VERSION}"


def read_sums(file: Path) -> list[Jar]:
    lines = (line.split() for line in file.read_text(encoding="utf-8").splitlines() if line.strip())
    return [Jar(path=path, sha256=digest) for digest, path in lines]


def install(jars: list[Jar], target: Path, *, note: Callable[[str], None]) -> list[Path]:
    """Download missing and damaged jars into `target` and return the paths of all, in the order of `jars`."""
    if _missing(jars, target):
        with _staging(target) as staging:
            if missing := _missing(jars, target):  # another process may have downloaded them in the meantime
                note(f"Downloading Apache Kafka {KAFKA_VERSION} ({len(missing)} files) to {target}")
                _fetch_all(missing, staging, target)
    return [target / jar.path for jar in jars]


def _missing(jars: Iterable[Jar], target: Path) -> list[Jar]:
    return [jar for jar in jars if _sha256(target / jar.path) != jar.sha256]


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """A folder to download into, on the file system of `target`. Other processes wait until it is gone."""
    try:
        target.mkdir(parents=True, exist_ok=True)
        with (target / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with tempfile.TemporaryDirectory(dir=target, prefix=".download-") as staging:
                yield Path(staging)
    except OSError as exc:
        advice = "Set XDG_CACHE_HOME to a folder you own"
        raise ServerError(f"can't keep Kafka's jars in {target}: {exc}. {advice}") from exc


def _fetch_all(jars: list[Jar], staging: Path, target: Path) -> None:
    context = _maven(staging)
    with ThreadPoolExecutor(_PARALLEL) as pool:
        for done in [pool.submit(_fetch, jar, context, staging, target) for jar in jars]:
            done.result()


def _fetch(jar: Jar, context: Any, staging: Path, target: Path) -> None:
    group, artifact, version = jar.coordinates
    staged, place = staging / jar.path, target / jar.path
    try:
        for attempt in Retrying(
            retry=retry_if_exception_type((OSError, RuntimeError)),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential(multiplier=0.5, max=5),
            reraise=True,
        ):
            with attempt:
                staged.unlink(missing_ok=True)  # jgo would take an incomplete file for a whole one
                context.project(group, artifact).at_version(version).artifact().resolve()
    except (OSError, RuntimeError) as exc:  # requests' errors are OSErrors; jgo raises RuntimeError for a 404
        raise ServerError(
            f"can't download {jar.name} from Maven Central: {exc}. "
            "Check the network (HTTPS_PROXY is honoured) and start again: finished downloads are kept"
        ) from exc
    if (found := _sha256(staged)) != jar.sha256:
        raise ServerError(f"{jar.name} is not the file we pinned: SHA-256 {found}, expected {jar.sha256}. Not used")
    place.parent.mkdir(parents=True, exist_ok=True)
    staged.replace(place)


def _maven(repository: Path) -> Any:
    try:
        from jgo.maven import MavenContext  # noqa: PLC0415 - an optional dependency (group `local`)
    except ImportError as exc:
        raise ServerError(
            "jgo, which fetches Kafka's jars, is not installed: `make setup` in a checkout (or pip install jgo)"
        ) from exc
    return MavenContext(repo_cache=repository, timeout=30)


def _sha256(file: Path) -> str | None:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def resolve(repository: Path) -> list[Jar]:
    """The pinned modules and their dependencies at run time, downloaded into `repository` and sorted by path."""
    context = _maven(repository)
    pinned, needed = context.resolver.resolve([context.create_dependency(pin) for pin in PINNED])
    files = sorted({dependency.artifact.resolve() for dependency in (*pinned, *needed)})
    return [Jar(path=file.relative_to(repository).as_posix(), sha256=_sha256(file) or "") for file in files]


def _main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m server.broker.jars", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--update", action="store_true", help="resolve the pinned versions again and write the sums")
    if parser.parse_args().update:
        with tempfile.TemporaryDirectory(prefix="kafka-jars-") as repository:
            jars = resolve(Path(repository))
        SUMS.write_text("".join(f"{jar.sha256}  {jar.path}\n" for jar in jars), encoding="utf-8")
        print(f"{len(jars)} jars written to {SUMS}")
    else:
        print(*kafka_jars(), sep="\n")
    return 0


if __name__ == "__main__":
    run(_main)
