"""Opens the SQLite file of an index, makes it where it is missing, and recognizes a damaged one."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from output.errors import IndexDamagedError

VERSION = 2
SCHEMA = Path(__file__).with_name("schema.sql")
BUSY_S = 30.0
DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Database:
    """The calls raise IndexDamagedError where SQLite finds the file damaged; other errors pass unchanged."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Opens the file, and makes it first where there is none, unless it is `read_only`."""
        place = f"file:{path.absolute().as_posix()}?mode={'ro' if read_only else 'rwc'}"
        self._db = sqlite3.connect(place.replace("#", "%23"), uri=True, isolation_level=None, timeout=BUSY_S)
        try:
            self._prepare(read_only=read_only)
        except BaseException:
            self.close()
            raise

    def _prepare(self, *, read_only: bool) -> None:
        version = self.rows("PRAGMA user_version")[0][0]
        if version not in (0, VERSION) or (read_only and version == 0):
            raise IndexDamagedError(f"it has version {version}, this program writes {VERSION}")
        if read_only:
            return
        self.rows("PRAGMA journal_mode=WAL")
        self.rows("PRAGMA synchronous=NORMAL")  # a lost transaction is taken in again from the segments
        if version == 0:
            with _damage_named():
                self._db.executescript(f"BEGIN; {SCHEMA.read_text()} PRAGMA user_version={VERSION}; COMMIT;")

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits everything that is executed inside, or nothing. Transactions do not nest."""
        with _damage_named():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def execute(self, statement: str, values: Mapping[str, object]) -> None:
        """Runs a statement inside `transaction`."""
        self._db.execute(statement, values)

    def insert(self, table: str, values: Mapping[str, object], *, replacing: str = "") -> int:
        """Inserts a row inside `transaction`, or sets the column `replacing` where its key exists. Returns its id."""
        conflict = f"ON CONFLICT DO UPDATE SET {replacing} = excluded.{replacing}" if replacing else ""
        places = ", ".join(f":{name}" for name in values)
        statement = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places}) {conflict}"  # noqa: S608 - names of ours
        return self._db.execute(statement, values).lastrowid or 0

    def rows(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        """Returns all rows of a query."""
        with _damage_named():
            return self._db.execute(query, values).fetchall()


@contextmanager
def _damage_named() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as exc:
        if getattr(exc, "sqlite_errorcode", 0) & 0xFF in DAMAGE:
            raise IndexDamagedError(str(exc)) from exc
        raise
