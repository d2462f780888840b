"""Copy an SQLite file that others write to: as it was at one moment, without holding anybody up.

SQLite's backup begins anew whenever another connection commits, so beside writers that never rest it would never end.
A read transaction that stays open keeps the moment: every step copies from it, and writers go on in the log (WAL),
which cannot be cut until the copy is done and grows by what they write meanwhile.
"""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from models.stores import StoreError
from sqlitefile.connection import connect, sync_folder, translated
from sqlitefile.patience import retried

STEP = 4 << 20  # bytes copied at once
PAUSE_S = 0.001  # between two steps, so that commits of others get to the disk
SYNC = 16 << 20  # bytes; so much is synchronised at once, or commits of others would wait behind all of it

Progress = Callable[[int, int], None]
"""Bytes done, bytes in all."""


class Snapshot:
    """One moment of a file, from the making of this object to its end. For one thread."""

    def __init__(self, path: Path) -> None:
        """Raises StoreError when there is no such file, Unavailable."""
        if not path.exists():
            raise StoreError(f"{path}: there is no such file")
        self.path = path
        self.connection = connect(path)
        try:
            with translated(path):
                retried(self._begin)
        except BaseException:
            self.connection.close()
            raise

    def size(self) -> int:
        """Bytes that a copy will take."""
        pages, page = (self.connection.execute(f"PRAGMA {what}").fetchone()[0] for what in ("page_count", "page_size"))
        return int(pages) * int(page)

    def copy(self, target: Path, progress: Progress) -> None:
        """Write the moment's content to a new file, durably. Raises StoreError, Unavailable, OSError (disk full)."""
        page = int(self.connection.execute("PRAGMA page_size").fetchone()[0])
        handle = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        synchronised = 0

        def tell(_status: int, left: int, pages: int) -> None:
            nonlocal synchronised
            done = (pages - left) * page
            if done - synchronised >= SYNC:
                os.fsync(handle)
                synchronised = done
            progress(done, pages * page)
            time.sleep(PAUSE_S)

        try:
            with translated(target), closing(sqlite3.connect(target, isolation_level=None)) as copy:
                copy.execute("PRAGMA synchronous=OFF")  # we synchronise
                self.connection.backup(copy, pages=max(1, STEP // page), progress=tell)
        finally:
            os.close(handle)  # not before: it would take SQLite's locks on the file away
        synchronise(target)

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self) -> None:
        if not self.connection.in_transaction:
            self.connection.execute("BEGIN")
        self.connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()  # takes the moment now, not later


def frozen(path: Path) -> sqlite3.Connection:
    """A connection that only reads a file which nobody writes to, and leaves no trace beside it. Raises StoreError."""
    if not path.exists():
        raise StoreError(f"{path}: there is no such file")
    with translated(path):
        return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None)


def synchronise(path: Path) -> None:
    """Content and name survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    sync_folder(path.parent)
