"""SQLite as the stores use it: WAL, synchronous=FULL, own short retry, errors in the words of models.stores."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.stores import StoreError, Unavailable
from sqlitefile.patience import code_of, retried

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
BACKUP = "restore it from a backup"


class Damaged(StoreError):
    """The file's content is broken."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection without implicit transactions, to be used by one thread at a time. Raises Unavailable."""
    with translated(path):
        connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            # it looks into the file, which another process may just be making or closing
            retried(lambda: connection.execute("PRAGMA synchronous=FULL"))
        except sqlite3.Error:
            connection.close()
            raise
    return connection


def make_wal(connection: sqlite3.Connection, page_size: int) -> None:
    """Put a new file into WAL mode. The page size must be set before, and is ignored where the file already is."""
    connection.execute(f"PRAGMA page_size={page_size}")
    retried(lambda: connection.execute("PRAGMA journal_mode=WAL"))


@contextmanager
def translated(path: Path, cure: str = BACKUP) -> Iterator[None]:
    """SQLite's errors in the words of models.stores. `cure`: what to do about a damaged file."""
    try:
        yield
    except sqlite3.Error as error:
        code = code_of(error)
        if code in PASSING:
            raise Unavailable(f"{path}: {error}; nothing was written, it can be tried again") from error
        if code in BROKEN:
            raise Damaged(f"{path} is damaged or no SQLite file: {error}; {cure}") from error
        raise StoreError(f"{path}: {error}") from error
    except OverflowError as error:
        raise StoreError(f"{path}: a number beyond 64 bits (signed) cannot be kept: {error}") from error


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


def sync_folder(folder: Path) -> None:
    """The file's name must survive a power cut as well."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
