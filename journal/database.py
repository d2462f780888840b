"""SQLite as the stores use it: WAL, synchronous=FULL, own short retry, errors in the words of models.stores."""

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


def sync_folder(folder: Path) -> None:
    """The file's name must survive a power cut as well."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
