"""SQLite for the series: locks are tried again for a short time, errors are in the words of models.stores.

The journal has the same in journal/database.py; packages of one layer do not import each other.
"""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from models.stores import StoreError, Unavailable

T = TypeVar("T")
PATIENCE_S = 2.0
BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
PASSING = BUSY | {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
}


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def retried(call: Callable[[], T]) -> T:
    """Call until it no longer meets a lock; raise what SQLite says after PATIENCE_S."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            return call()
        except sqlite3.OperationalError as error:
            if _code(error) not in BUSY or time.monotonic() >= give_up:
                raise
        time.sleep(random.uniform(0.0002, 0.001))  # noqa: S311  # jitter, not a secret


@contextmanager
def translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        code = _code(error)
        if code in PASSING:
            raise Unavailable(f"{path}: {error}; nothing was written, it can be tried again") from error
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise StoreError(
                f"{path} is damaged or no SQLite file: {error}; restore it, or remove it to begin a new history"
            ) from error
        raise StoreError(f"{path}: {error}") from error
    except OverflowError as error:
        raise StoreError(f"{path}: a number beyond 64 bits (signed) cannot be kept: {error}") from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    retried(lambda: connection.execute("BEGIN IMMEDIATE"))
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk may have rolled back already
            connection.execute("ROLLBACK")
        raise
