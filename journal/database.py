"""SQLite as the stores use it: WAL, synchronous=FULL, own short retry, errors in the words of models.stores."""

import fcntl
import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from models.stores import StoreError, Unavailable

T = TypeVar("T")

PATIENCE_S = 2.0  # how long a locked file is tried again before the caller hears of it
PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
}
BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Damaged(StoreError):
    """The file's content is broken."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection without implicit transactions, to be used by one thread at a time. Raises Unavailable."""
    with translated(path):
        connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA synchronous=FULL")
        except sqlite3.Error:
            connection.close()
            raise
    return connection


def make_wal(connection: sqlite3.Connection, page_size: int) -> None:
    """Put a new file into WAL mode. The page size must be set before, and is ignored where the file already is."""
    connection.execute(f"PRAGMA page_size={page_size}")
    retried(lambda: connection.execute("PRAGMA journal_mode=WAL"))


def is_busy(error: sqlite3.Error) -> bool:
    return _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def retried(call: Callable[[], T]) -> T:
    """Call until it no longer meets a lock; raise what SQLite says after PATIENCE_S.

    SQLite's own busy_timeout sleeps in steps of up to 100 ms, so that a busy neighbour starves the others."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            return call()
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() >= give_up:
                raise
        time.sleep(random.uniform(0.0002, 0.001))  # noqa: S311  # jitter, not a secret


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors in the words of models.stores."""
    try:
        yield
    except sqlite3.Error as error:
        code = _code(error)
        if code in PASSING:
            raise Unavailable(f"{path}: {error}; nothing was written, it can be tried again") from error
        if code in BROKEN:
            raise Damaged(f"{path} is damaged or no SQLite file: {error}; restore it from a backup") from error
        raise StoreError(f"{path}: {error}") from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One write transaction: what is read inside is still true when it commits. Rolled back on any exception."""
    retried(lambda: connection.execute("BEGIN IMMEDIATE"))
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk may have rolled back already
            connection.execute("ROLLBACK")
        raise


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


class WriterLock:
    """Held around every commit and checkpoint of a file that several processes write to.

    SQLite before 3.51.3 (3.50.7, 3.44.6) may lose committed pages when one process copies the log back while another's
    commit starts the log anew (https://www.sqlite.org/wal.html#walresetbug). Commits copy back now and then, so they
    exclude each other here. The kernel frees the lock of a process that dies."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}-lock")
        try:
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise Unavailable(f"{self._path}: {error.strerror}; nothing was written") from error

    def __enter__(self) -> None:
        if self._handle < 0:
            raise StoreError(f"{self._path}: the store was closed already")
        give_up = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= give_up:
                    raise Unavailable(
                        f"{self._path}: another process writes for over {PATIENCE_S:g} s; nothing was written, it can "
                        "be tried again"
                    ) from None
            else:
                return
            time.sleep(random.uniform(0.0002, 0.001))  # noqa: S311  # jitter, not a secret

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._handle, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def sync_folder(folder: Path) -> None:
    """The file's name must survive a power cut as well."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
