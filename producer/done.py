"""`--on-done`: moves or deletes files whose outcomes are all on disk."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from configs.failpoints import hit
from ledger.account import Account
from ledger.entries import Ledger
from ledger.needs import Rules
from producer.errors import FileError
from producer.files.source import Found, Source
from producer.publishing.on_disk import OnDisk
from schemas import FileState
from schemas.paths import unescape

log = logging.getLogger(__name__)


def _complete(found: Found, ledger: Ledger, rules: Rules) -> bool:
    return ledger.state(found.path) is FileState.COMPLETE and ledger.done(found, rules)


class Done:
    """Puts files of one source away. `put_away` has the paths of the last time.

    `waiting` counts files with outcomes that were not on disk at the last look.
    """

    def __init__(
        self, how: Literal["move", "delete"], *, files: Source, folder: Path | None, account: Account, on_disk: OnDisk
    ) -> None:
        """`folder` is where `move` puts files, under the paths that they had."""
        self.waiting = 0
        self.put_away: set[str] = set()
        self._how = how
        self._files = files
        self._folder = folder
        self._account = account
        self._on_disk = on_disk

    def look(self, files: Iterable[Found], ledger: Ledger, rules: Rules) -> list[Found]:
        """Returns the files that may go. Raises OutputMismatchError."""
        self._on_disk.look()
        self.waiting = 0
        ready = []
        for found in files:
            if found.linked or not _complete(found, ledger, rules):
                continue  # the file that a link points to has a path of its own
            if self._may_go(ledger.document_id(found.path)):
                ready.append(found)
            else:
                self.waiting += 1
        return ready

    def act(self, ready: Iterable[Found], ledger: Ledger, rules: Rules) -> dict[str, str]:
        """Moves or deletes the files. Returns the reason for each path that it could not put away.

        It may copy files, so call it in a thread. A file stays if a request has changed its document meanwhile.
        """
        self.put_away = set()
        problems = {}
        for found in ready:
            if _complete(found, ledger, rules) and (problem := self._act(found, ledger)):
                problems[found.path] = problem
        if self.put_away:
            log.info("all outcomes of %d files are on disk: %sd", len(self.put_away), self._how)
        return problems

    def _may_go(self, document_id: str) -> bool:
        return self._account.answered(document_id) and self._on_disk.has(self._account.last_position(document_id))

    def _act(self, found: Found, ledger: Ledger) -> str | None:
        hit("producer.done")
        try:
            if self._folder is None:
                self._files.remove(found)
            else:
                self._files.move(found, self._target(self._folder, found, ledger))
        except FileError:
            return None  # it has changed: a later look publishes it anew
        except OSError as exc:
            return f"all its outcomes are on disk, but it could not be {self._how}d: {exc.strerror or exc}"
        hit("producer.put_away")
        self.put_away.add(found.path)
        log.debug("%sd %s", self._how, found.path)
        return None

    def _target(self, folder: Path, found: Found, ledger: Ledger) -> Path:
        """Returns a path below `folder` where no file is: an earlier file of the same name stays."""
        name = Path(unescape(found.path))
        target = folder / name
        entry = ledger.entry(found.path)
        version, number = (entry.document.version if entry else 0), 0
        while target.exists() or target.is_symlink():
            more = f".{number}" if number else ""
            target = (folder / name).with_name(f"{name.stem}.v{version}{more}{target.suffix}")
            number += 1
        return target
